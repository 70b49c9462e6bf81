#!/bin/sh
# os.sh ROOT NEXT now|done: prints the OS below ROOT, as centos7.9, el8.8, sles15.5 or leap15.6; or NEXT if that is not "none".
# With "done" it prints nothing: 0 if the OS is NEXT already, or NEXT is none; else 1.
set -eu
root=$1 next=$2 question=$3
id=$(. "$root/etc/os-release" && echo "$ID")
version=$(. "$root/etc/os-release" && echo "$VERSION_ID")
case $id in
centos) # its os-release has no minor version
    name=centos version=$(sed -n 's/.*release \([0-9]*[.][0-9]*\).*/\1/p' "$root/etc/redhat-release") ;;
rhel | rocky | almalinux) name=el ;;
opensuse-leap) name=leap ;;
*) name=$id ;;
esac
if [ "$question" = done ]; then
    [ "$next" = none ] || [ "$next" = "$name$version" ]
    exit
fi
if [ "$next" = none ]; then echo "$name$version"; else echo "$next"; fi
