// Inventories of Ansible: what they say of how hosts are reached.
#include "base/text.h"
#include "pack/inventory.h"

#include <gtest/gtest.h>

namespace drydock::pack {
namespace {

// Returns one line a host, or the problems.
std::string told(const std::string& file, const std::string& text, const std::string& group) {
    Diagnostics diagnostics;
    std::string lines;
    for (const InventoryHost& host : read_inventory(file, text, group, diagnostics)) {
        lines += host.name + ": " + join(host.connect, " ");
        lines += host.become.empty() ? "\n" : " | " + join(host.become, " ") + "\n";
    }
    return diagnostics.has_errors() ? diagnostics.text() : lines;
}

constexpr const char* k_ini = R"(
# a comment
alone.example.org:2222

[etcd]
m[01:02].example.org ansible_user=root   # in a range
here ansible_connection=local
m3 ansible_host=192.0.2.3 ansible_user="some one"

[etcd:vars]
ansible_become=yes
ansible_user = deploy

[web]
w[a:b]

[prod:children]
etcd
web

[prod:vars]
ansible_user=nobody
ansible_become_user=etcd
)";

TEST(Inventory, ini_has_groups_children_ranges_and_variables) {
    EXPECT_EQ(told("hosts", k_ini, "etcd"),
              "here:  | sudo -n -u etcd\n"
              "m01.example.org: ssh: root@m01.example.org | sudo -n -u etcd\n"
              "m02.example.org: ssh: root@m02.example.org | sudo -n -u etcd\n"
              "m3: ssh: some one@192.0.2.3 | sudo -n -u etcd\n");
    EXPECT_EQ(told("hosts", k_ini, "web"), "wa: ssh: nobody@wa\nwb: ssh: nobody@wb\n");
    EXPECT_EQ(told("hosts", k_ini, "ungrouped"),
              "alone.example.org: ssh: ssh://alone.example.org:2222\n");
}

TEST(Inventory, yaml_says_the_same) {
    const std::string yaml = R"(
all:
  vars: {ansible_user: deploy}
  hosts: {alone: {ansible_port: 2222}}
  children:
    prod:
      vars: {ansible_become: true}
      children:
        etcd:
          hosts:
            m[1:2]: {}
            m3: {ansible_host: 192.0.2.3, ansible_become: false}
)";
    EXPECT_EQ(told("hosts.yml", yaml, "all"),
              "alone: ssh: ssh://deploy@alone:2222\n"
              "m1: ssh: deploy@m1 | sudo -n\n"
              "m2: ssh: deploy@m2 | sudo -n\n"
              "m3: ssh: deploy@192.0.2.3\n");
    EXPECT_EQ(told("hosts.yml", yaml, "etcd"), told("hosts.yml", yaml, "prod"));
}

TEST(Inventory, what_cannot_be_taken_over_is_told) {
    const std::pair<const char*, const char*> cases[] = {
        {"[etcd]\nm[3:1]\n", "stands for no host"},
        {"[etcd]\nm[1:99999999]\n", "stands for no host"},
        {"[etcd]\nm1 user\n", "has no `=`"},
        {"[etcd:hosts_of]\n", "no section"},
        {"[web]\nm1\n", "no group `etcd`"},
        {"[etcd]\nm1 ansible_connection=winrm\n", "neither ssh nor local"},
        {"[etcd]\nm1 ansible_host={{ip}}\n", "template"},
        {"[etcd]\nm1 ansible_host=-oProxyCommand=x\n", "no name of a host"},
        {"[etcd:children]\netcd\n", "child of itself"},
    };
    for (const auto& [text, problem] : cases) {
        EXPECT_NE(told("hosts", text, "etcd").find(problem), std::string::npos)
            << text << told("hosts", text, "etcd");
    }
}

}  // namespace
}  // namespace drydock::pack
