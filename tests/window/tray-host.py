"""The part of a desktop that shows tray icons, as the StatusNotifierItem specification has it: it takes icons in, reads
their menus (com.canonical.dbusmenu) and clicks in them.

Reads one request a line: `{"ask": "menu"}` or `{"ask": "click", "label": "…"}`; answers with one JSON value a line."""

import json
import sys
import threading

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

WATCHER = """
<node><interface name="org.kde.StatusNotifierWatcher">
  <method name="RegisterStatusNotifierItem"><arg type="s" direction="in"/></method>
  <method name="RegisterStatusNotifierHost"><arg type="s" direction="in"/></method>
  <property name="RegisteredStatusNotifierItems" type="as" access="read"/>
  <property name="IsStatusNotifierHostRegistered" type="b" access="read"/>
  <property name="ProtocolVersion" type="i" access="read"/>
</interface></node>"""

bus = Gio.bus_get_sync(Gio.BusType.SESSION)
items = []


def called(_bus, sender, _path, _interface, method, arguments, invocation):
    if method == "RegisterStatusNotifierItem":
        (place,) = arguments.unpack()
        items.append((sender, place) if place.startswith("/") else (place, "/StatusNotifierItem"))
    invocation.return_value(None)


def read(_bus, _sender, _path, _interface, name):
    values = {
        "RegisteredStatusNotifierItems": GLib.Variant("as", [name + path for name, path in items]),
        "IsStatusNotifierHostRegistered": GLib.Variant("b", True),
        "ProtocolVersion": GLib.Variant("i", 0),
    }
    return values[name]


def call(name, path, interface, method, arguments):
    return bus.call_sync(name, path, interface, method, arguments, None, Gio.DBusCallFlags.NONE, 10_000, None).unpack()


def menu_place():
    name, path = items[-1]
    get = GLib.Variant("(ss)", ("org.kde.StatusNotifierItem", "Menu"))
    return name, call(name, path, "org.freedesktop.DBus.Properties", "Get", get)[0]


def entries(node):
    """(id, label, enabled) of every entry, from top to bottom."""
    number, properties, children = node
    if "label" in properties:
        yield number, properties["label"].replace("_", ""), properties.get("enabled", True)
    for child in children:
        yield from entries(child)


def answer(request):
    if not items:
        return None
    name, path = menu_place()
    root = GLib.Variant("(iias)", (0, -1, []))
    _revision, layout = call(name, path, "com.canonical.dbusmenu", "GetLayout", root)
    if request["ask"] == "menu":
        return [label for _number, label, _enabled in entries(layout)]
    number = next(number for number, label, _enabled in entries(layout) if label == request["label"])
    click = GLib.Variant("(isvu)", (number, "clicked", GLib.Variant("i", 0), 0))
    call(name, path, "com.canonical.dbusmenu", "Event", click)
    return True


def serve():
    for line in sys.stdin:
        try:
            print(json.dumps(answer(json.loads(line))), flush=True)
        except Exception as error:  # the test is told, whatever it was
            print(json.dumps({"error": str(error)}), flush=True)
    loop.quit()


bus.register_object("/StatusNotifierWatcher", Gio.DBusNodeInfo.new_for_xml(WATCHER).interfaces[0], called, read, None)
loop = GLib.MainLoop()


def owned(_bus, _name):
    print(json.dumps("ready"), flush=True)
    threading.Thread(target=serve, daemon=True).start()


Gio.bus_own_name_on_connection(bus, "org.kde.StatusNotifierWatcher", Gio.BusNameOwnerFlags.NONE, owned, None)
loop.run()
