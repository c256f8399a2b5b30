"""A window whose whole face can be dragged as files: what a file manager is to drag and drop (XDND)."""

import sys

import gi

gi.require_version("Gdk", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, GLib, Gtk  # noqa: E402

uris = [GLib.filename_to_uri(path) for path in sys.argv[1:]]
window = Gtk.Window(title="drag-source")
window.set_default_size(120, 80)
face = Gtk.EventBox()
face.add(Gtk.Label(label="drag me"))
window.add(face)
face.drag_source_set(Gdk.ModifierType.BUTTON1_MASK, [], Gdk.DragAction.COPY)
face.drag_source_add_uri_targets()
face.connect("drag-data-get", lambda _widget, _context, data, _info, _time: data.set_uris(uris))
window.connect("destroy", Gtk.main_quit)
window.show_all()
print("ready", flush=True)
Gtk.main()
