# What the terminal says beside problems. Those, with their codes, are in crates/app/locales.
#
# Words: no "error", "failed", "invalid", "illegal", "fatal", "abort"; nobody is blamed.

## Times

ago-seconds = { $count ->
        [0] just now
        [one] one second ago
       *[other] { $count } seconds ago
    }
ago-minutes = { $count ->
        [one] one minute ago
       *[other] { $count } minutes ago
    }
ago-hours = { $count ->
        [one] one hour ago
       *[other] { $count } hours ago
    }
ago-days = { $count ->
        [one] yesterday
       *[other] { $count } days ago
    }
today = today

## How things stand

status-server = «{ $name }» is the server.
status-client = «{ $name }» is connected to «{ $server }» as its client.
status-address = It listens at { $address }
status-fingerprint = Fingerprint of the server: { $fingerprint }
status-conflicts = { $n ->
        [one] One conflict waits for your decision: tandem conflicts
       *[other] { $n } conflicts wait for your decision: tandem conflicts
    }
status-held = { $n ->
        [one] One held item waits for your decision: tandem held
       *[other] { $n } held items wait for your decision: tandem held
    }
word-up-to-date = Up to date.
word-synchronizing = { $pending ->
        [0] Synchronizing.
        [one] Synchronizing: one item is left.
       *[other] Synchronizing: { $pending } items are left.
    }
word-paused = Paused until "tandem resume".
word-paused-for = Paused for another { $time }.
word-not-running = Not running at the moment. Changes are carried by "tandem run" (stays) or "tandem sync" (once).
word-not-serving = Not running at the moment. Other computers can connect while "tandem serve" runs.
word-waiting = Waiting for «{ $server }».
word-waiting-for-clients = Ready. No other computer is connected at the moment.
word-offline = Offline.
word-needs-decision = Needs your decision.
word-problem = Something stands in the way.
internet-on = "Synchronize via the Internet" is on.
internet-off = "Synchronize via the Internet" is off: only in the local network.
firewall-open = The firewall lets calls to UDP port { $port } in ({ $program }).
firewall-none = No firewall is in the way on this computer.
one-of-checks = { $id ->
        [network] This computer has a network
        [own-internet-switch] "Synchronize via the Internet" fits on this computer
        [internet] The Internet can be reached
        [managed-network] This network lets Tandem through
        [findable] There is a way to find the server
        [local-firewall] This computer's firewall lets calls in
        [gateway] There is a router
        [mapping] The router lets calls from the Internet through
        [path] A way leads through the routers
        [server-online] The server answers
        [server-internet-switch] "Synchronize via the Internet" fits on the server
        [server-key] It is the right server
        [version] The versions fit together
        [access] This computer may connect
        [data-readable] The data can be read
       *[other] { $id }
    }

## While it goes on

progress-reading = Reading the data …
progress-comparing = Comparing both sides …
progress-connecting = Connecting to { $server } …
progress-items = { $done } of { $total } items, { $bytes }
progress-left = about { $time } left
synchronizing = Synchronizing …
serving = Ready for other computers at { $addresses }. Ctrl-C ends it.
staying-connected = Staying connected. Ctrl-C ends it.
ended = Ended.
conflict-came = A conflict waits for your decision: tandem conflicts
sync-nothing = Both sides are the same.
sync-quiet = { $n ->
        [one] Both sides are the same. One item was carried ({ $bytes }).
       *[other] Both sides are the same. { $n } items were carried ({ $bytes }).
    }

## Setting up

password-of = Password of «{ $server }»
password-suggestion = Other computers have to enter the password of this server once. A good one: { $password }
password-new = Password (nothing: take the good one)
password-again = The same again
password-differs = These were two different ones. Once more.
server-made = «{ $name }» is a server now.
server-next = Next: "tandem serve", and in another terminal: "tandem invite --out FILE".
joining = Connecting to «{ $server }» …
preview-added-here = added here
preview-added-there = added on «{ $server }»
preview-same = the same
preview-differ = differ
preview-not-sure = not sure
preview-total = Total
preview-name = In { $folder }: { $name }
preview-more-names = { $n ->
        [one] In { $folder }: and one more
       *[other] In { $folder }: and { $n } more
    }
preview-removed-here = { $n ->
        [one] One item that is only here goes to the backup; it can be brought back with "tandem undo".
       *[other] { $n } items that are only here go to the backup; they can be brought back with "tandem undo".
    }
preview-removed-there = { $n ->
        [one] One item that is only on «{ $server }» goes to the backup; it can be brought back with "tandem undo".
       *[other] { $n } items that are only on «{ $server }» go to the backup; they can be brought back with "tandem undo".
    }
preview-bytes = { $here } come here, { $there } are sent.
preview-question = Start the synchronization? [y/N]
preview-how = Nothing has been changed yet. To start, run the same command with --yes.
yes-letters = yj
leave-question = Give up the connection to «{ $server }»? The data stays here. [y/N]
leave-undo-question = Give up the connection to «{ $server }», and give this computer what it had before? What came from here stays there. [y/N]
leave-question-server = Stop being a server? The data stays here; other computers can't connect any more. [y/N]
taken-back = { $n ->
        [0] Nothing had to be undone.
        [one] One item is as it was before the first synchronization.
       *[other] { $n } items are as they were before the first synchronization.
    }
left = Done. The data stays here; access and secrets are gone.
nothing-changed = Nothing was changed.

## Folders

head-folder = Folder
head-direction = Changes go
head-items = Items here
head-same = On both sides
head-here = Called here
way-both = both ways
way-to-server = only to the server
way-to-here = only to this computer
way-off = not at all
way-paused = not until you go on
folders-none = No folders yet.
folder-set = { $folder }: changes go { $way }.
folder-rests = { $folder } rests until: tandem folders resume
folder-goes-on = { $folder } goes on the way it went before.
folder-released = { $folder } is released for { $device }.
folder-kept-back = { $folder } is kept from { $device }. What is already there stays there.

## Deletions that wait

held-none = Nothing waits for a decision.
held-how = It was meant: tandem held allow FOLDER. Have it as before: tandem held restore FOLDER.
held-at-server = { $folder }: { $n } of { $of } items were deleted on this computer; they are kept everywhere else.
held-here = { $folder }: { $n } of { $of } items were deleted elsewhere; they are kept here.
held-emptied = { $folder }: all { $n } items were gone at once on this computer; they are kept everywhere else.
held-reverted = { $folder }: { $n } of { $of } items went back to an earlier state on this computer, as after restoring a backup; everywhere else they are as they were.
held-deleted-elsewhere = { $n ->
        [one] { $folder }: one item here was deleted elsewhere before this computer was set up.
       *[other] { $folder }: { $n } items here were deleted elsewhere before this computer was set up.
    }
held-allowed = { $folder }: what happened here counts everywhere. This can be undone for 30 days.
held-restored = { $folder }: the items are as they were before.
held-restoring = { $folder }: the items come back.
decided-later = This is remembered. What is left of it to do happens with the next synchronization.

## Conflicts

head-id = ID
head-title = Title
head-fields = What differs
head-since = Since
head-server-version = Everybody's version
head-other-version = The other version
conflicts-none = No conflicts. If the same part of an item is changed on two computers, you decide here.
conflicts-how = Look: tandem conflicts show ID. Decide: tandem conflicts resolve ID --keep server, client, both or merge.
conflict-title = «{ $title }» in { $folder }
conflict-not-here = The other version isn't on this computer. Look at it on the server; deciding works from here, too.
resolved-server = Decided: the version everybody has stays.
resolved-client = Decided: the other version becomes everybody's.
resolved-both = Decided: the other version becomes an item of its own.
resolved-merge = Decided: what only the other version has is added.

## History

head-run = Run
head-when = When
head-added = Added
head-changed = Changed
head-deleted = Deleted
head-folders = Folders
head-conflicts = Conflicts
head-what = What
head-where = Where
head-item = Item
history-more = There may be older ones: tandem history --before { $run }
history-none = Nothing has happened yet.
run-goes-on = goes on
run-empty = Nothing changed in this run.
one-of-actions = { $action ->
        [added] added
        [changed] changed
        [moved] moved
        [flagged] marked
        [deleted] deleted
        [conflict] conflict
        [kept] kept
        [folderAdded] folder added
        [folderRenamed] folder renamed
        [folderMoved] folder moved
        [folderDeleted] folder deleted
       *[other] { $action }
    }
was-undone = undone
where-here = here
where-there = on the server
undone = { $n ->
        [0] Nothing was undone.
        [one] Undone – one item is back.
       *[other] Undone – { $n } items are back.
    }

## Other computers

head-name = Name
head-system = System
head-version = Tandem
head-added-at = Added
head-seen = Seen
servers-looking = Looking for servers in this network …
head-address = Address
server-is-silent = doesn't answer any more
server-is-known = this computer's server
devices-none = No other computer may connect yet. Invite one: tandem invite --out FILE
device-is-removed = removed
device-is-connected = connected
device-renamed = It is called «{ $name }» now.
device-removed = Removed. It can't connect any more; data already there stays there.
device-allowed = It may connect anew, with the password.
take-over-allowed = It may replace the server's data with its own, once.
add-window-open = For ten minutes, adding a computer has extra tries at the password.
door-open = Computers can be added again.
password-set = The new password is set. Computers that are already connected stay connected.
password-set-all-out = The new password is set. Every computer has to enter it.
service-id-renewed = The service ID is renewed. Connected computers learn it by themselves; old invitations stop working.
invitation-saved = Saved as { $file }
invitation-addresses = It leads to { $addresses }.
invitation-ticket = { $days ->
        [one] Its ticket holds for a day.
       *[other] Its ticket holds for { $days } days.
    }
invitation-no-password = It doesn't hold the password: tell that another way, for example by phone.

## Publishing

peer-names-on = Other computers find this server also after its address changed.
peer-names-off = Nothing says any more where this server is when its address changes.
rendezvous-none = No rendezvous puts other computers through to this server.
rendezvous-no-line = There is no line to it.
rendezvous-sees = It sees this server at { $address }.
translation-unknown = What the router does to addresses isn't known.
translation-none = No router changes addresses.
translation-independent = The router uses the same address for all destinations; other computers can be put through.
translation-dependent = The router uses another address for each destination (symmetric NAT); some other computers need a relay.
relay-none = No relay is used.
relay-later = { $address } is used as soon as the server runs with "Synchronize via the Internet" on.
relay-not-yet = { $address } can't be used yet.
relay-ready = { $address } passes packets on for computers that find no direct way.
publish-intro = What will be stored:
publish-name =   the server's name    { $name }
publish-id =   a random server ID   { $id }
publish-comment =   your comment         { $comment }
publish-key =   the public key       { $key }
publish-service-id =   a random service ID
publish-made-now = made now
publish-none = none
publish-where = Where: in the open network for addresses (Mainline DHT), encrypted. Only who has the server ID finds and reads it; the network forgets it about two hours after you take it back or this server is off.
publish-where-directory = Where: in the directory { $directory }. It deletes the entry as soon as you take it back, and 60 days after it last heard of this server.
publish-dht = the open network for addresses
publish-not-stored = Not stored: your e-mail address, mail, contacts, calendar, password.
publish-how = To publish it: the same command with --yes
publish-question = Publish this server?
publishing = Publishing …
published = Published. The server ID is
published-next = Give it to the people who should connect, and tell them the password another way, for example by phone.
published-not-yet = Not yet in { $place } [{ $code }]: Tandem tries again as long as the server runs.
not-published = This server isn't published.
revoke-question = Take back the publication of «{ $name }»? The server ID { $id } stops working. Computers that are already connected stay connected.
revoked = Revoked. The server ID leads nowhere any more.
revoke-queued = The server ID lets nobody in any more. It disappears from the network as soon as this computer is online; until then others may still see its name.
found-by-id = Found: «{ $name }»{ $comment ->
        [none] {""}
       *[other] {" "}({ $comment })
    }
    Fingerprint: { $fingerprint }
looking-up = Looking up the server ID …

## Places

stores-none = No data was found at the usual places. Look into a folder: tandem stores DIR
stores-missing = doesn't exist yet; it can be made
stores-empty = empty; the layout can be made in it
stores-layout = holds { $parts }
stores-part = is itself one part: { $part }
stores-importable = { $items ->
        [one] holds one loose item; bring it into a store: tandem import FILE --into STORE
       *[other] holds { $items } loose items in { $files } files; bring them into a store: tandem import FILE… --into STORE
    }
stores-other = holds something else ({ $names } names: { $examples })
imported = { $present ->
        [0] { $n } items were added.
       *[other] { $n } items were added; { $present } were there already.
    }
import-preview = { $present ->
        [0] { $n } items would be added.
       *[other] { $n } items would be added; { $present } are there already.
    }
import-password = Outlook asks for a password for this file. It was read without: the password protects nothing in it.
import-left-out = { $n } entries were left out: deleted messages, or what programs keep for themselves.
import-more-refused = … and { $n } more that can't be brought in.
selftest-done =
    { $n } of { $count } things work as they should. The report is in { $file }.
    It holds no names, addresses or contents. Look at it, then send it to the people who make Tandem.
selftest-left = Outlook still holds what is in { $folder }. Delete that folder once you have closed Outlook.
exported = { $n } items were written to { $file }.
export-skipped = left out, as it can't be read: { $name }

## The guided start

start-intro = Two computers with sample data, both on this one. Nothing of yours is touched.
start-server = «{ $server }» is the server now: it has the data.
start-preview = «{ $client }» was invited and has proved the password. This is what the first synchronization would do:
start-same = It ran. Both computers hold the same now:
start-change = A change on «{ $computer }»: { $what }
start-arrived = { "  " }→ «{ $computer }» has it after { $seconds } s: { $line }
start-both = «{ $what }» is changed on both at the same time, in different places:
start-done = Changes cross in both directions, and two edits of one contact become one contact.
start-kept = The two computers are kept in { $place }.
start-set-up-already = This computer is already set up. How it stands: { $program } status
start-own-question = Set up a server with your own data now? [y/N]
start-own-later = To set up a server with your own data: { $program } init --server --name NAME --store files:DIR
start-place-question = Which folder has the data, or shall have it? [{ $usual }]
start-name-question = What is this server to be called? [{ $usual }]
start-how-to-join =
    To let another computer in:
    { "  " }1. here, in another terminal: { $program } invite --out office.tandem
    { "  " }2. bring the file over, and tell the password another way
    { "  " }3. there: tandem join office.tandem --store files:~/Tandem
start-serve-question = Start the server now? [y/N]
start-serve-later = To start the server: { $program } serve
