#!/bin/sh
# usage: SOURCE=FILE SDK=DIR PACKAGE=DIR build.sh OUT WORK
. "${0%/*}/../../common.sh"
check sample*
