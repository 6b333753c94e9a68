#!/bin/sh
# Asks the service for two pages and compares what it says.
set -eu
service=$1

greeting=$(wget -q -O - "$service/hello")
echo "GET $service/hello: $greeting"
[ "$greeting" = "hello from the service" ]

built=$(wget -q -O - "$service/built-at")
echo "GET $service/built-at: $built"
case $built in 20*Z) echo "the service answers as it should" ;; *) exit 1 ;; esac
