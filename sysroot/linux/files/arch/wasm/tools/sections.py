#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""sections.py first|last < sections.h: the C source of one object with section bounds."""

import re
import sys

which = sys.argv[1]
print("/* Generated from sections.h. */")
for number, match in enumerate(re.finditer(r'^SECTION\("([^"]+)",\s*(\w+),\s*(\w+)\)', sys.stdin.read(), re.M)):
    section, start, end = match.groups()
    symbol = start if which == "first" else end
    if symbol == "NONE":
        if which == "last":
            continue
        # Without a symbol the section would not get its place in the order.
        symbol = f"__section_order_{number}"
    # The offsets of per-CPU variables must keep the alignment of a page.
    align = 65536 if symbol == "__per_cpu_load" else 1
    print(f'char {symbol}[0] __attribute__((used, aligned({align}), section("{section}")));')
