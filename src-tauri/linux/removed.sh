#!/bin/sh
# After the package is gone. Whoever removes a program wants to know what it leaves.
set -e
case "$1" in
  # dpkg says "remove" or "purge"; rpm says how many versions stay.
  remove | 0)
    echo "Tandem is removed. Your mail, contacts, calendars, tasks and notes stay where they are, and each user's"
    echo "settings and earlier versions in ~/.config/tandem and ~/.local/share/tandem. To take those away, too, use"
    echo "\"Remove Tandem from this computer\" in its settings before removing the package, or delete these folders."
    ;;
esac
