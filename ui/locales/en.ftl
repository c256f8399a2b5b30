# What the window says. Messages with a code come from crates/app/locales: they are the same in the terminal.
#
# Words: no "error", "failed", "invalid"; nobody is blamed. Words a shop owner uses: computer, folder, appointment,
# password, router.

## Everywhere

page-step = { $title } (step { $step } of { $steps })
next = Next
back = Back
finish = Finish
cancel = Cancel
close = Close
save = Save
quit = Quit Tandem
undo = Undo
details = Details
try-again = Try again
look-again = Look again
loading = Loading…
opening = Opening Tandem…
copied = Copied.
saved = Saved.
help = Help
language = Language
just-now = just now
today = today
never = never
total = Total
status = Status
pages = Pages
show-more = Show more
show-in-folder = Show in folder
open-folder = Open folder
and-more = { $n ->
        [one] and one more
       *[other] and { $n } more
    }
items = { $n ->
        [one] 1 item
       *[other] { $n } items
    }
n-of-m = { $n } of { $m }
n-days = { $n ->
        [one] 1 day
       *[other] { $n } days
    }
time-left = about { $time } left
message-todo = { $action }. ({ $code })
message-more = More about this
unexpected = Something unexpected happened.
unexpected-text = Tandem stopped this step to be safe. What was finished before is kept.
unexpected-action = Try again; if it stays, send a report

kind-mail = Mail
kind-contacts = Contacts
kind-calendar = Calendar
kind-tasks = Tasks
kind-notes = Notes

platform-linux = Linux
platform-macos = macOS
platform-windows = Windows

word-upToDate = Up to date
word-synchronizing = Synchronizing
word-paused = Paused
word-waiting = Waiting for { $server }
word-offline = Offline
word-needsDecision = Needs your decision
word-problem = Problem

path-router = router
path-internet = Internet
path-others = other computers
path-open = open
path-broken = interrupted
path-unknown = not known

## First start

first-title = Keep mail, contacts and calendar the same on all your computers
first-title-outlook = Keep Outlook the same on all your computers
first-lead = Your data goes directly from computer to computer. Nothing is stored with us or in a cloud.
first-question = What is this computer?
first-server = This computer has the data (server)
first-server-hint = Choose this on one computer only – usually the one that is on most of the time.
first-client = Connect to a server (client)
first-client-hint = Choose this on every other computer.
first-server-found = «{ $server }» on your network is already a server.
first-connect = Connect to it
first-looking = Looking for mail programs on this computer…
first-nothing = We found no Outlook, Thunderbird, Evolution or Apple data here. You can still go on and choose a folder yourself.
first-unsure = Not sure? Which one should be the server?
first-unsure-1 = The computer that is on most of the time.
first-unsure-2 = Usually the desk computer, not the laptop.
first-unsure-3 = You can move it to another computer later.
first-invitation = Got an invitation? Drop it anywhere in this window, or
open-invitation = Open invitation…
first-samples = Just looking?
first-samples-open = Try with sample data
drop-invitation = Drop the invitation to connect
drop-other = This is not a Tandem invitation: { $file }
arrived = Invitation to «{ $server }»
arrived-nothing = There is no invitation in it
arrived-connected = You are already connected to «{ $server }».
arrived-busy = This computer is set up already. To connect it to another server, leave the present one first: Settings → Advanced.
arrived-replace = Use this invitation and connect to «{ $server }»? What you have entered here would be left.
arrived-more = { $n ->
        [one] One more file came with it and was left alone.
       *[other] { $n } more files came with it and were left alone.
    }
arrived-keep = Stay here
arrived-use = Use the invitation

## Server: data

server-data-title = Where is the data on this computer?
server-data-looking = Looking for mail programs on this computer…
server-data-none = Nothing was found by itself. Choose the folder that holds your mail, contacts or calendar, or a new one.
several-places = Is it in several places?
several-places-text = Tandem can take several together: mail in a folder and the rest in Evolution, or an archive of Outlook's beside the mailbox. A folder that comes from elsewhere goes to the first of them that holds its kind.
several-places-use = Use these together
server-data-imap = What about IMAP or Exchange mail?
server-data-imap-text = Mail that is kept on a mail server usually needn't be synchronized: every computer gets it from there. Contacts, calendar, tasks and notes do.
old-data = Bring in my old data file
old-data-text = A .pst file of Outlook, or .mbox, .msg, .eml, .vcf and .ics files. First you see what would come in. The file stays as it is, and nothing comes twice.
old-data-choose = Choose file…
old-data-import = Bring it in
old-data-preview = { $present ->
        [0] «{ $name }» holds { $n } items that would come in.
       *[other] «{ $name }» holds { $n } items that would come in; { $present } are here already.
    }
old-data-done = { $present ->
        [0] { $n } items of «{ $name }» are in.
       *[other] { $n } items of «{ $name }» are in; { $present } were here already.
    }
old-data-password = Outlook asks for a password for this file. It protects nothing in it, so it isn't needed here.
old-data-left-out = { $n } entries are left out: deleted messages, or what programs keep for themselves.
old-data-refused = … and { $n } more that can't be brought in.
source-folder = Folder { $name }
source-new = new, still empty
source-fresh = { $name } (new)
choose-folder = Choose folder…
import = Import them

## Server: folders

server-folders-title = Which folders should be the same everywhere?
server-folders-lead = You can change this at any time.
server-folders-which = Which folders
server-folders-none = There are no folders yet. Those that are made later will be synchronized.
server-folders-sum = { $folders ->
        [one] 1 folder
       *[other] { $folders } folders
    }, { $n ->
        [one] 1 item
       *[other] { $n } items
    }, { $size }
preset-everything = Everything
preset-exceptMail = Everything except mail
preset-named = I choose
reading-folders = Reading folders…
filter-folders = Filter folders
folder-empty = (empty)

## Server: Internet

server-internet-title = Should it also work when you are away?
internet-switch = Synchronize via the Internet
server-internet-off = Only in my own network
server-internet-off-hint = At home or in the office. You can switch the Internet on later.
server-internet-on = Also over the Internet
server-internet-on-hint = Your computers can then connect from anywhere. Only computers with your password get in; everything is encrypted. This computer must be on.
server-internet-later = Whatever the check says: in your own network everything works, and you can look at this later. A computer that goes to sleep can't be reached.
energy-settings = Open energy settings

## Server: password

server-password-title = Choose a password for this server
server-password-lead = Other computers must enter it once. Without it nobody can read your data.
password = Password
password-show = Show
password-repeat = Repeat the password
password-differs = The two passwords differ.
password-suggest = Suggest another
password-enough = Good enough for this server.
password-remember = Remember it in this computer's password store
no-password-store = This computer has no password store. Tandem keeps its key in a protected file of yours; write the password down.
password-why = Why a strong one?
password-why-internet = With Internet synchronization on, anyone who gets the server ID can try passwords.
password-why-network = Everybody in your network can try passwords, also guests in your Wi-Fi.
server-name = Server name
server-name-hint = Other computers show this name.
creating-server = Setting up…

## Server: share

server-share-title = Let your other computers in
share-network = In the same network
share-network-text = Start Tandem on the other computer, choose "Connect to a server" and pick «{ $server }».
share-elsewhere = From elsewhere
created-note = Tandem keeps its key in a protected file of yours.
save-invitation = Save invitation file…
write-mail = Write e-mail…
copy-letter = Copy text
make-link = Make a link
copy-link = Copy link
invitation-hint = The invitation contains no password and isn't stored anywhere. Send it, or put it on a USB stick.
invitation-ticket = With a one-time ticket
invitation-ticket-hint = For one computer, for 7 days: it gets in also while adding computers over the Internet is closed.
publish-open = Publish for Internet synchronization…
publish-hint = You get a short server ID that you can read out on the phone.
publish-title = Publish server for Internet synchronization
publish-comment = Comment (optional)
publish-comment-hint = Others see it when they enter the ID. { $n } of { $max } characters.
publish-left = { $n ->
        [0] No more characters
        [one] One more character
       *[other] { $n } more characters
    }
publish-stored = What will be stored
publish-stored-name = the server name
publish-stored-id = a random server ID
publish-stored-comment = your comment
publish-stored-key = the public key
publish-stored-service = a random service ID
publish-made = made now
publish-not-stored = Not stored: your e-mail, mail, contacts, calendar, password. You can delete this entry at any time.
publish-where = Where
publish-where-dht = In the open network for addresses
publish-where-dht-hint = No server is needed. Only who has the ID finds the entry.
publish-where-directory = In a directory of your own (optional)
publish-where-directory-hint = Its host name. The entry is deleted there as soon as you take it back.
publish-instead = Save invitation file instead
publish = Publish service
publishing = Publishing…
published = Published.
published-title = Your server is published
published-text = Give this server ID and the password to the people who should connect. Send the password another way than the ID, for example by phone.
published-id = Server ID { $id }
published-since = Published { $when }
published-renewed = last renewed { $ago }
copy-id = Copy ID
spell-out = Spell it out
revoke-open = Revoke publication…
revoke-title = Revoke the publication of «{ $server }»?
revoke-text = The server ID { $id } stops working and the entry is deleted. Computers that are already connected stay connected.
revoke-keep = Keep it
revoke = Revoke publication
revoked = Revoked.
revoking = Will be revoked as soon as you are online. Until then the ID still works.
letter-subject = Connect your computer to «{ $server }»
letter-id =
    Hello,

    with Tandem our data stays the same on all our computers.

    1. Install Tandem.
    2. Start it, choose "Connect to a server", then "Connect to a server located at the Internet".
    3. Enter this server ID: { $id }

    I will tell you the password separately, for example by phone. Please don't send it by e-mail.
    Tandem shows a fingerprint when it connects. It must be: { $fingerprint }
letter-link =
    Hello,

    with Tandem our data stays the same on all our computers.

    1. Install Tandem.
    2. Open this link, or copy it into the field for the server ID: { $link }

    I will tell you the password separately, for example by phone. Please don't send it by e-mail.
    Tandem shows a fingerprint when it connects. It must be: { $fingerprint }

spell-A = Alfa
spell-B = Bravo
spell-C = Charlie
spell-D = Delta
spell-E = Echo
spell-F = Foxtrot
spell-G = Golf
spell-H = Hotel
spell-J = Juliett
spell-K = Kilo
spell-M = Mike
spell-N = November
spell-P = Papa
spell-Q = Quebec
spell-R = Romeo
spell-S = Sierra
spell-T = Tango
spell-V = Victor
spell-W = Whiskey
spell-X = X-ray
spell-Y = Yankee
spell-Z = Zulu

## Client: server

client-server-title = Which server?
client-network = Server in your network
client-servers = Servers
client-looking = Looking… (up to 5 seconds)
client-none = No server found in this network.
client-none-why = The other computer may be off, Tandem may not be running there, or the Wi-Fi keeps devices apart.
client-by-internet = Connect to a server located at the Internet…
client-by-internet-title = Connect to a server located at the Internet
client-drop = or drop it anywhere in this window
client-internet-hint = Off: no packet leaves your local network.
client-directory = A directory of my own
client-directory-hint = Only if the ID came with one.
client-taken-out = We took the invitation out of the text you pasted.
choose-invitation = Open an invitation
server-in-network = in your network
known-by-network = in your network
known-by-invitation = by invitation
known-by-serverId = by server ID
server-by-internet = Internet
server-seen = Last heard of { $ago }
server-ticket = One-time ticket until { $when }
server-connected-already = You are already connected to «{ $server }».
server-id = Server ID
server-id-hint = The ID has 16 letters and digits. Capitals, spaces and dashes don't matter. You can also paste a link or a whole e-mail.
find = Find
finding = Looking…

## Client: password

client-password-title = Enter the password of «{ $server }»
client-password-where = You find it on the server under Settings → Password.
client-not-this = Not this one
connect = Connect
connecting-finding = Finding «{ $server }»…
connecting-calling = Calling, and checking that it is the right one…
connecting-listing = Connected. Reading its folders…
fingerprint = Fingerprint
fingerprint-compare = Compare fingerprint
fingerprint-text = Compare this number with the one shown on «{ $server }»: Devices → Fingerprint. They must be the same.
fingerprint-differs = They differ
fingerprint-stopped = Stopped. Nothing was sent or stored.
fingerprint-stopped-text = Ask the owner for a new invitation, by a way you trust.
fingerprint-own = Other computers show this number when they connect. It must be the same there.
fingerprint-of-server = «{ $server }» shows the same number. If it doesn't, remove this connection.

## Client: folders

client-folders-title = What should be the same?
client-folders-loading = Reading the server's folders…
client-folders-none = The server has no folders for you yet. Ask its owner.
client-place = Where the data is on this computer
direction-of = Direction of { $folder }
direction-both = ⇄ both ways
direction-to-here = ← only to this computer
direction-to-server = → only to the server
direction-off = not at all
here-of = { $folder } on this computer
here-same = the folder of the same name
here-new = + new folder "{ $name }"
mode = If both sides already have data
mode-combine = Combine both (recommended)
mode-combine-hint = Same items are matched, missing ones are added on both sides. Nothing is deleted.
mode-takeServer = Take over the server's data
mode-takeServer-hint = This computer becomes a copy; what is only here is kept in the backup.
mode-takeClient = Take over this computer's data
mode-takeClient-hint = The server becomes a copy; its owner is asked first.
rule = When both sides changed the same item
rule-ask = Show me
rule-server = The server's version counts, the other goes to the backup
rule-client = The other computer's version counts, the server's goes to the backup
comparing = Comparing…

## Client: preview

preview-title = Check, then start
preview-lead = Nothing has been changed yet.
preview-addedHere = added here
preview-addedThere = added on «{ $server }»
preview-same = the same
preview-differ = differ
preview-notSure = not sure
preview-removedHere = removed here
preview-removedThere = removed on «{ $server }»
preview-part-same = the same
preview-part-here = new here
preview-part-there = new there
preview-part-open = to look at
preview-names = Items that differ or that we are not sure about
preview-names-text = They don't hold up the start: both versions are kept until you decide.
preview-removed = { $n ->
        [one] One item is removed. It stays in the backup and can be brought back.
       *[other] { $n } items are removed. They stay in the backup and can be brought back.
    }
preview-nothing = Both sides are already the same.
preview-size = { $here } will come here, { $there } will be sent.
preview-save = Save as a report…
preview-start = Start synchronization
started-title = The first synchronization is running
started-done = Done
started-items = First synchronization
started-leave = You can leave this window; Tandem goes on, and continues by itself after an interruption.
started-sum = { $here } added here, { $there } added on «{ $server }».
started-conflicts = { $n } waiting for you.
take-back-open = Undo everything…
take-back-title = Take back the first synchronization?
take-back-text = This computer gets back what it had before, and is disconnected from «{ $server }». What you changed yourself since then stays as it is.
take-back-there = What came from this computer stays on «{ $server }». Whoever sits there can undo it under Activity.
take-back-keep = Keep it
take-back-yes = Undo and disconnect
take-back-going = Undoing…
take-back-also = Also give this computer what it had before the first synchronization
taken-back = { $n ->
        [0] Nothing had to be undone.
        [one] Undone – one item is as it was before.
       *[other] Undone – { $n } items are as they were before.
    }
open-tandem = Open Tandem

## The main window

page-overview = Overview
page-folders = Folders
page-conflicts = Conflicts
page-activity = Activity
page-devices = Devices
page-settings = Settings
page-check = Why can't I connect?
page-log = Log
page-about = About Tandem
waiting-for-you = waiting for you
last-change = Last change { $ago }
pause = Pause
pause-half = 30 minutes
pause-tomorrow = until tomorrow
pause-open = until I continue
paused-until = Paused until { $time } – changes are collected and sent later.
paused-open = Changes are collected and sent when you continue.
continue = Continue
items-on-their-way = Items on their way
why-no-connection = Why can't I connect?
switch-on = Switch on
way-local = directly, in your network
way-direct = directly, over the Internet
way-mapped = directly, over the Internet
way-punched = directly, over the Internet
way-relayed = over the Internet, passed on by a relay that can't read it
updated = Tandem was updated from { $before } to { $version }.
overview-calm = Everything is the same on your computers.
overview-going = All is well. Changes are taken over by themselves.
overview-reading = Reading your data for the first time…
overview-recent = Last activities
overview-day = Last 24 hours
overview-no-tray = Tandem runs in the background; open it again from the start menu.
traffic-items = Items
traffic-items-text = { $n }; busiest hour from { $hour }
traffic-bytes = Data
stopped-title = Tandem can't work at the moment
stopped-lead = Your mail, contacts and calendars are untouched.
open-settings-folder = Open settings folder
open-logs = Open log folder
open-data = Open data folder
close-title = Close the window?
quit-title = Quit Tandem?
close-tray = Tandem keeps synchronizing. You find it in the notification area.
close-no-tray = Tandem can go on in the background. You open it again from the start menu.
close-connected = { $n ->
        [one] One computer synchronizes with this one. It waits until you start Tandem again.
       *[other] { $n } computers synchronize with this one. They wait until you start Tandem again.
    }
close-remember = Do the same next time
close-hide = Keep running

## Activity

activity-lead = What was changed can be undone for { $days } days.
activity-none = Nothing has happened yet.
activity-all = All activity
activity-filter = What to show
activity-search = Search in an open entry
activity-no-match = Nothing matches.
filter-all = All
filter-added = Added
filter-changed = Changed
filter-deleted = Deleted
filter-conflicts = Conflicts
run-added = { $n } added
run-changed = { $n } changed
run-deleted = { $n } deleted
run-folders = { $n ->
        [one] one folder
       *[other] { $n } folders
    }
run-conflicts = { $n ->
        [one] 1 conflict
       *[other] { $n } conflicts
    }
run-nothing = Nothing changed
run-going = Running
action-added = added
action-changed = changed
action-moved = moved
action-flagged = marked
action-deleted = deleted
action-conflict = conflict
action-kept = kept
action-folderAdded = folder added
action-folderRenamed = folder renamed
action-folderMoved = folder moved
action-folderDeleted = folder deleted
entry-here = came to this computer
entry-there = sent from this computer
entry-undone = undone
undo-run = Undo all
undo-item = Undo { $title }
undone = { $n ->
        [0] Nothing had to be undone.
        [one] Undone – one item is back.
       *[other] Undone – { $n } items are back.
    }
undo-left = { $n ->
        [one] One item changed again since and was left as it is:
       *[other] { $n } items changed again since and were left as they are:
    }
copy-table = Copy as a table
save-table = Save all as a table…
save-json = Save all for programs (JSON)…

## Folders and deletions that were stopped

folders-none = No folders yet. They appear as soon as the first synchronization has begun.
folders-size = Which folders are big
sync-now = Synchronize now
folder-off = not synchronized
folder-same = the same on both sides
folder-going = { $n } of { $m } the same
folder-progress = { $folder }: on the way
held-atServer = { $n } of { $all } items are missing in «{ $folder }» on this computer, and wait to be deleted on the server. Were they deleted on purpose?
held-here = { $n } of { $all } items in «{ $folder }» were deleted on another computer, and wait to be deleted here. Was that on purpose?
held-emptied = «{ $folder }» is suddenly empty: all { $all } items are gone at once. Was that on purpose?
held-deletedElsewhere = { $n } of { $all } items in «{ $folder }» were deleted elsewhere before this computer was set up, and are still here. What should become of them?
held-reverted = { $n } of { $all } items in «{ $folder }» look like a restored backup. Was that on purpose?
held-list = See the list
held-restore-deleted = Keep them
held-allow-deleted = Delete them everywhere…
held-restore-reverted = Keep the newer ones
held-allow-reverted = Use the earlier ones everywhere…
held-sure-deleted = { $n ->
        [one] Delete one item from «{ $folder }» everywhere?
       *[other] Delete { $n } items from «{ $folder }» everywhere?
    }
held-sure-reverted = { $n ->
        [one] Use the earlier state of one item everywhere?
       *[other] Use the earlier state of { $n } items everywhere?
    }
held-sure-text = They stay in the backup for { $days } days; until then you can undo this.
held-sure-deleted-yes = { $n ->
        [one] Delete one item
       *[other] Delete { $n } items
    }
held-sure-reverted-yes = Use the earlier ones
held-done-restore = They are kept.
held-done-allow = Done. You can undo it under Activity.

## Conflicts

conflicts-lead = If the same item is changed on two computers, you decide here. Until then all computers keep the server's version, and the other one is kept aside.
conflicts-none = No conflicts. If the same item is changed on two computers, you decide here.
conflicts-waiting = { $n ->
        [one] One conflict waits for your decision.
       *[other] { $n } conflicts wait for your decision.
    }
conflicts-waiting-text = The same item was changed on two computers. Nothing is lost: both versions are kept.
conflicts-open = Look at them
conflict-fields = differs in { $fields }
conflict-decided = «{ $title }» is decided.
conflicts-decided = All conflicts are decided.
conflicts-all = { $n ->
        [one] Decide one at once
       *[other] Decide all { $n } at once
    }
conflicts-all-text = You can undo it under Activity.
compare = Compare
compare-close = Close
compare-of = Compare both versions of { $title }
compare-close-of = Close the comparison of { $title }
compare-all = Show all fields
compare-elsewhere = The other version is on the server. It can be compared there; you can decide here.
field = Field
side-server = On the server
side-other = On the other computer
keep-server = Keep the server's
keep-other = Keep the other one
keep-both = Keep both
keep-merge = Combine them
decide-later = Decide later

## Devices

this-is-server = This computer is the server.
this-is-client = This computer is connected to «{ $server }».
invite = Invite another computer
adding = A computer can't be added?
adding-text = After many wrong passwords Tandem takes no new computers for a while. Open it again here, or give the next ten minutes some more tries.
add-window = Give more tries for ten minutes
open-door = Allow adding again
add-window-done = For the next ten minutes there are more tries.
open-door-done = Computers can be added again.
other-computers = Other computers
devices-none = No other computer is connected yet.
device-connected = connected now
device-never = never seen
device-seen = last seen { $ago }
device-removed = access removed
device-allow = Let in again
device-allow-name = Let in again: { $name }
device-rename = Rename…
device-rename-name = Rename { $name }
device-rename-title = What shall «{ $name }» be called?
device-new-name = New name
device-rename-text = Only people at this computer see it.
device-rename-yes = Rename
device-renamed = { $name } is its name now.
device-remove = Remove access…
device-remove-name = Remove access of { $name }
device-remove-title = Remove the access of «{ $name }»?
device-remove-text = «{ $name }» can no longer connect. Data already there stays there.
device-remove-yes = Remove access
device-done-remove-device = «{ $name }» can no longer connect.
device-done-allow-device = «{ $name }» may connect again.
device-done-allow-take-over = «{ $name }» may take over the server's data once.
releases = Folders…
releases-name = Folders for { $name }
releases-text = Which folders «{ $name }» may have. Without a choice it may have all.
release = Allow
release-not = Keep from it
release-folder = Allow { $folder }
release-not-folder = Keep from it: { $folder }
release-done = «{ $name }» may have { $folder }.
release-kept = «{ $name }» doesn't get { $folder } any more.
take-over-allow = Allow taking over
take-over-text = This computer may then replace the server's data by its own, once.

## Settings

settings-sections = Pages of the settings
settings-general = General
settings-notifications = Notifications
settings-internet = Internet
settings-password = Password
settings-conflicts = Conflicts
settings-backup = Backup
settings-privacy = Privacy
settings-advanced = Advanced
needs-restart = Some changes take effect when Tandem starts again.
restore-page = Restore defaults for this page
restored = Restored.
settings-name = Name of this computer
settings-name-hint = Other computers show this name.
appearance = Appearance
appearance-system = as the system
appearance-light = light
appearance-dark = dark
text-size = Text size
more-contrast = More contrast
starts-with-computer = Start with the computer
starts-with-computer-hint = A server should be there whenever the computer is on.
close-behaviour = When I close the window
close-ask-setting = ask me
close-hide-setting = keep running
close-quit-setting = quit Tandem
notifications-text = Tandem tells you only what waits for you, and at most once an hour.
tells-conflicts = When a conflict waits for me
tells-held = When deletions were stopped to be safe
tells-silence = When there was no synchronization for
after-days = { $n ->
        [one] 1 day
       *[other] { $n } days
    }
internet-hint-server = Your computers can connect from anywhere. Off: only in your own network.
internet-hint-client = Off: no packet leaves your local network.
peer-names = Find this server when its address changes (peer names)
peer-names-hint = Its address is kept encrypted in an open network, so that your computers find it after the router got a new one.
check-again = Check again
check-open-port = Open the port
port = Port
port-hint = The UDP port other computers call. 0: chosen at the first start.
port-wrong = A port is a number from 0 to 65535.
settings-password-text = Other computers must enter a new password once.
password-look = Show the present password
password-hide = Hide it
password-new = New password
password-change = Change password
sign-out-all = All computers must enter it anew
sign-out-all-hint = Choose this if somebody knows the password who shouldn't.
backup-text = Earlier versions of changed and deleted items are kept here, so that everything can be undone.
backup-days = Keep them for
backup-size = At most
backup-now = { $size } at present
backup-elsewhere = Keep them elsewhere…
backup-elsewhere-hint = On another disk, for instance. It has to be there whenever Tandem runs. Tandem makes a folder of its own in the one you choose.
backup-beside = Keep them with Tandem again
backup-empty = Empty…
backup-empty-title = Delete all earlier versions?
backup-empty-text = What was changed or deleted before now can't be undone any more. Your present data stays.
backup-empty-yes = Delete earlier versions
backup-emptied = The backup is empty.
privacy-1 = Tandem sends nothing to its makers: no statistics, no crash reports, no search for updates.
privacy-2 = Your mail, contacts and calendars go only to your own computers, encrypted from end to end.
privacy-3 = If you publish a server ID, the open address network stores its name, your comment and its public key, until you revoke it.
settings-file = Settings as a file
settings-file-text = For another computer or another profile. No password, no key, no names of servers are in it.
settings-export = Export settings…
settings-import = Import settings…
leave-server = Stop being the server
leave-client = Disconnect
leave-text = Your data stays where it is.
leave-server-open = Stop being the server…
leave-client-open = Disconnect…
leave-server-title = Stop being the server?
leave-client-title = Disconnect from «{ $server }»?
leave-server-sure = { $n ->
        [0] Tandem starts anew on this computer. Your data stays where it is.
        [one] One computer is connected and won't synchronize any more. Your data stays where it is, here and there.
       *[other] { $n } computers are connected and won't synchronize any more. Your data stays where it is, here and there.
    }
leave-client-sure = This computer won't synchronize any more. Your data stays where it is. To connect again you need the password.
leave-server-yes = Stop being the server
leave-client-yes = Disconnect
remove-open = Remove Tandem from this computer…
remove-title = Remove Tandem from this computer?
remove-sure = Tandem deletes its key, its password, its settings and its earlier versions. Your mail, contacts and calendars stay.
remove-yes = Remove Tandem
removed-title = Removed
removed-data = Your data is still here:

## Connection check and report

check-title = Connection check
check-fine = Everything is all right.
checking = Checking…
check-network = This computer has a network
check-internet = The Internet can be reached
check-own-internet-switch = "Synchronize via the Internet" is on here, or isn't needed
check-managed-network = This network lets Tandem through
check-findable = There is a way to find «{ $server }»
check-server-online = «{ $server }» answers
check-server-internet-switch = «{ $server }» takes connections over the Internet
check-server-key = It is the right server
check-version = The versions fit
check-access = This computer may connect
check-data-readable = The data on this computer can be read
check-gateway = There is a router
check-mapping = The router opens the way
check-path = A way leads through the routers
check-local-firewall = The firewall lets Tandem through
result-ok = all right
result-problem = here it stops
result-cannotTell = can't be told from here
result-skipped = not checked
copy-instructions = Copy what to do at «{ $server }»
instructions =
    Please look after Tandem on «{ $server }»:

    1. Is the computer on, and awake?
    2. Open Tandem there. If it says "Paused", press "Continue".
    3. For the way from outside: open Settings → Internet. "Synchronize via the Internet" and the peer names must be on. Then press "Check again".
by-hand = Opening the way by hand
by-hand-text = Open the page of your router in a browser (its address is often on the back of the box) and look for "port forwarding", "port sharing" or "virtual server". Add this:
by-hand-rule = UDP, port { $port }, to { $address }, port { $port }
by-hand-copy = Copy
report-title = Report for whoever helps you
report-text = Names, addresses and IDs are replaced. You see all of it before it is saved.
report-folders = Include folder names
report-look = See the report
report-save = Save report…
log-lead = What Tandem has done. No subjects, names or contents.
log-level = Show
log-none = There is nothing in the log.
level-debug = everything
level-info = usual
level-warn = remarkable
level-error = serious

## About and help

about-version = Version
about-system = System
about-licence = Licence
about-update = How to update
about-third-party = Works of others in it
about-data = Your data
about-settings = Settings
about-logs = Logs
copy-version = Copy version info
help-pages = Pages of the help
help-quick-start = Quick start
help-internet = Internet synchronization
help-old-data = Bring in old data
help-conflicts = Conflicts and undo
help-troubleshooting = Messages
help-faq = Questions
help-install = Install, update, remove
help-accessibility = Accessibility
help-security = Security
help-english = This page is in English.
keys = Keyboard shortcuts
key-ctrl = Ctrl
key-shift = Shift
keys-settings = Settings
keys-refresh = Refresh
keys-pause = Pause or continue
keys-invitation = Open an invitation
keys-search = Search in lists
keys-steps = Back and Next
keys-help = Help
keys-close = Close a dialog
keys-list = This list

## Sample data

samples-title = Two computers in one window
samples-lead = With sample data only: try what you like. All of it is deleted when you stop.
samples-starting = Starting the two computers…
samples-same = Both hold the same.
samples-different = They are not the same yet.
samples-server = { $name } (server)
samples-client = { $name } (client)
samples-folder = Folder
samples-item = Item
samples-add = Add
samples-change = Change
samples-delete = Delete
samples-move = Move
samples-try = Try
samples-both = Change the same appointment on both
samples-cut = Cut the link
samples-restore = Restore the link
samples-half = Delete half a folder
samples-own = Use it with my own data
samples-happened = What happened at the office PC
samples-publish = Found by a server ID
samples-publish-text = A published server is found by 16 characters. Here it is published in a network that doesn't leave this computer.
samples-publish-do = Publish the office PC
samples-published = Published. The server ID is
samples-revoked = Revoked. The server ID was
samples-revoke = Revoke the publication
samples-look-up = Look up the ID from the laptop
samples-found = Found: «{ $name }». With the password, the laptop could connect now.

## Fields of items, as the formats call them

field-summary = Title
field-dtstart = Start
field-dtend = End
field-duration = Duration
field-location = Place
field-description = Notes
field-rrule = Repeats
field-exdate = Except on
field-categories = Categories
field-attendee = Invited
field-organizer = Organizer
field-status = Status
field-class = Privacy
field-transp = Shown as
field-valarm = Reminder
field-due = Due
field-priority = Priority
field-percent-complete = Done (%)
field-completed = Finished
field-url = Website
field-fn = Name
field-n = Name, in parts
field-nickname = Nickname
field-org = Company
field-title = Position
field-role = Role
field-tel = Phone
field-email = E-mail
field-adr = Address
field-bday = Birthday
field-anniversary = Anniversary
field-note = Notes
field-photo = Picture
field-subject = Subject
field-from = From
field-to = To
field-cc = Copy to
field-date = Date
field-flags = Marks
field-text = Text
field-body = Text
field-folder = Folder

## Limits and ways

no-limit = no limit
a-second = { $size } a second
bandwidth = How fast over the Internet
bandwidth-text = For lines that others need as well. In your own network there is no limit.
upload-max = Send at most
download-max = Receive at most
waits-on-metered = Wait on metered lines
waits-on-metered-hint = On a phone's hotspot, for instance, nothing goes over the Internet. Your changes wait for another network.
use-metered = Synchronize here too
relay = Relay (TURN)
relay-text = For computers that find no direct way to this server. What goes through it is encrypted; it can't read anything.
relay-address = Address
relay-user = User
relay-password = Password of the relay
relay-use = Use this relay
relay-none = Use no relay
relay-asking = { $relay } is being asked.
relay-silent = { $relay } doesn't answer.
relay-refused = { $relay } says no: user or password is wrong, or it has no room.
relay-ready = { $relay } is ready.
switchboards = Rendezvous servers
switchboards-text = They put computers through to this server, so that routers on both sides let the call pass. A directory has one.
switchboard-reached = connected
switchboard-silent = not reached
switchboard-remove = Remove { $address }
switchboard-add = Another one
switchboard-hint = Address, port and key, as its operator names it: host:port=key.
add = Add
remove = Remove
detailed-log = Log in detail
detailed-log-hint = For a while, if somebody who helps asks for it. Passwords and contents are never in it.
folder-paused = paused
folder-pause = Pause
folder-pause-name = Pause { $folder }
folder-continue-name = Continue { $folder }
folder-rests = «{ $folder }» rests until you continue.
folder-continues = «{ $folder }» goes on.
folder-remove = Remove…
folder-remove-name = Remove { $folder }
folder-remove-title = Stop synchronizing «{ $folder }»?
folder-remove-text = What is in it stays here and on «{ $server }». From then on each side changes for itself.
folder-remove-yes = Stop synchronizing
folders-left = Not synchronized
folder-add = Synchronize
folder-add-name = Synchronize { $folder }
device-away = not connected
star = { $server } in the middle. { $computers }
