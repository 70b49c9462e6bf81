#!/bin/sh
touch "$1/marker"
