# SPDX-License-Identifier: GPL-2.0-or-later
# An ordinary system that leaks nothing: the answer must be 0.
exercise 5
churn 5
sleep 3
say "exercised, up $(cut -d' ' -f1 /proc/uptime)s"
dump dump
