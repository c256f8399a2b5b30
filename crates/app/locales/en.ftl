# What Tandem says when something stands in the way: what happened, why and what it means (.body), what to do (.action).
# Codes are stable. The same texts appear in the window, in the terminal and in logs.
#
# Words: no "error", "failed", "invalid", "illegal", "fatal", "abort"; nobody is blamed; "please" only when we make
# people wait. A number of bytes, seconds or a date comes in twice: $need_bytes for choosing between forms, and $need
# as text. Details a technician needs stand beside the message, never in it.

## Finding a server in the network

L01 = No server found in this network.
    .body = The other computer may be off, Tandem may not be running there, or the Wi-Fi keeps devices apart (common in guest networks).
    .action = Look again, or use a server ID or an invitation
L02 = { $n } servers in this network are called «{ $server }».
    .body = A name alone doesn't say which one is meant.
    .action = Use the ID that stands beside the name
    .command = tandem servers
L03 = «{ $server }» isn't in this network.
    .body = Other servers are, or it was switched off a moment ago.
    .action = Compare the name with the list
    .command = tandem servers

## Server IDs

I01 = This server ID has a typing mistake.
    .body = The last character doesn't fit the others. Compare it once more – the letters I, L, O and U never occur in an ID.
    .action = Correct the ID
I02 = This server ID isn't published (any more).
    .body = It is typed correctly, but nobody offers it now. Ask the owner to look it up under Devices → This server, or for an invitation file.
    .action = Enter it again, or open an invitation file
I04 = The answer doesn't match the server ID.
    .body = Somebody may have changed it on the way. Nothing was sent.
    .action = Ask for an invitation file
I05 = This server ID isn't complete.
    .body = An ID has 16 letters and digits, and this one has { $found }. Capitals, spaces and dashes don't matter.
    .action = Complete the ID
I06 = The server ID { $server_id } couldn't be taken back.
    .body = Where it is published can't be reached now. Whoever enters it finds the name of this server for up to { $left } more, and gets in nowhere: its key and its password are gone.
    .action = Nothing has to be done: it expires by itself

## Invitations

V01 = This invitation can't be read.
    .body = The file is incomplete or was changed on the way. Ask for it again; sending it as a ZIP file often helps.
    .action = Choose another file
V02 = This invitation needs a newer version of Tandem.
    .body = You have version { $have }, which doesn't know invitations of format { $need }.
    .action = Update Tandem
V03 = The ticket in this invitation has expired.
    .body = It was valid until { $expired }. You can still connect with the password.
    .action = Enter the password
V04 = This is not a Tandem invitation.
    .body = «{ $file }» holds something else. An invitation is a file that ends in .tandem, or a link that begins with tandem:.
    .action = Choose another file
V05 = You are already connected to «{ $server }».
    .body = This invitation is for the server this computer already belongs to. Nothing has to be done.
    .action = Go on
V06 = This computer already belongs to another server.
    .body = It is connected to «{ $server }», and the invitation is for «{ $other }». A profile belongs to one server at a time.
    .action = Leave «{ $server }» first, or use another profile folder
    .command = tandem leave
V07 = This invitation doesn't hold any more.
    .body = «{ $server }» was found, but its owner has renewed what invitations are made with since.
    .action = Ask for a new invitation

## The network and the Internet

N01 = You are offline.
    .body = Tandem can't reach the Internet right now. Your changes are kept and sent as soon as you are online again.
    .action = Check again
N02 = The directory doesn't answer.
    .body = Nobody answers at { $directory }. Server IDs can't be looked up or published at the moment. Computers that are already connected go on working.
    .action = Try again, or save an invitation file instead
N03 = Your router didn't open the way.
    .body = Computers outside can't call this one yet; in your own network everything works. You can open it by hand in about 5 minutes.
    .action = { $port ->
        [none] In the router, switch on UPnP or NAT-PMP; or forward a port by hand once the server is set up
       *[other] In the router, forward UDP port { $port } to this computer ({ $address }), or switch on UPnP or NAT-PMP there
    }
N04 = «{ $server }» doesn't answer.
    .body = { $last_seen_secs ->
        [0] It may be off, asleep, or its router doesn't let calls through.
       *[other] It was last online { $last_seen } ago. It may be off, asleep, or its router doesn't let calls through.
    }
    .action = Try again, or look why
    .command = tandem doctor
N05 = «{ $server }» is paused.
    .body = { $left_secs ->
        [0] Its owner paused synchronization until further notice. Your changes are kept until then.
       *[other] Its owner paused synchronization for another { $left }. Your changes are kept until then.
    }
    .action = Wait; it goes on by itself
N07 = The versions don't fit together.
    .body = { $older ->
        [here] «{ $server }» speaks version { $other } of the protocol, this computer only { $have }. Nothing was changed.
        [there] This computer speaks version { $have } of the protocol, «{ $server }» only { $other }. Nothing was changed.
       *[unknown] This computer speaks version { $have } of the protocol, «{ $server }» another one. Nothing was changed.
    }
    .action = { $older ->
        [here] Update Tandem on this computer
        [there] Update Tandem on «{ $server }»
       *[unknown] Update Tandem on the computer with the older version
    }
N08 = «{ $server }» doesn't synchronize over the Internet.
    .body = Its owner has switched that off; in its own network it works.
    .action = Connect in its network, or ask the owner to switch it on
N09 = "Synchronize via the Internet" is off on this computer.
    .body = Away from home it can't reach «{ $server }».
    .action = Switch it on
N10 = There is no way to find this server.
    .body = Its address is published nowhere: peer names are off, no directory is set and the invitation holds no fixed address.
    .action = Switch peer names on, or set a directory
N11 = «{ $server }» is busy.
    .body = It takes no more connections at the moment. Your changes are kept and sent when it has time.
    .action = Please wait a minute; Tandem tries again by itself
N12 = Other computers can't call this one at { $address }.
    .body = Another program uses this address, or this computer doesn't have it.
    .action = Choose another address, or end the other program
N13 = "Synchronize via the Internet" is off on this server.
    .body = A published server is found from everywhere, but nobody outside its network would be let in.
    .action = Switch it on first
N14 = The directory says no.
    .body = { $why ->
        [something-else] What answers at { $directory } isn't a directory: perhaps a login page of this network, or another web page.
        [too-many] This server has as many entries at { $directory } as one may have.
        [full] { $directory } takes no more entries.
        [name] { $directory } doesn't know that it is called so; its operator has to set its name.
        [unavailable] { $directory } has a fault of its own.
       *[request] { $directory } doesn't accept what this computer asked for.
    }
    .action = Look at the address, or ask whoever runs the directory
N15 = «{ $address }» is no address of a directory.
    .body = It has a host name and perhaps a port, and nothing else: directory.example or directory.example:8443.
    .action = Type it anew
N16 = The directory asks to wait.
    .body = { $directory } was asked too often from here. In { $wait } it answers again.
    .action = Wait
N17 = There is no place to publish in.
    .body = The network for addresses is left out, and no directory is named.
    .action = Name a directory, or leave the network for addresses on
N20 = Your router has no address on the Internet itself.
    .body = Another router stands before it, or it isn't connected just now: nobody outside can call what it opens. In your own network everything works.
    .action = { $port ->
        [none] If another router stands before it, use only one of them as a router
       *[other] If another router stands before it, forward UDP port { $port } there to yours, or use only one of them as a router
    }
N21 = Your Internet provider shares one address among customers.
    .body = Nobody outside can call such an address. In your own network everything works.
    .action = Ask the provider for an IPv4 address of your own, or for IPv6
N22 = This network has no router.
    .body = Computers in it find each other; there is no way to the Internet.
    .action = Connect this computer to a network with Internet access
N23 = The firewall of this computer lets nobody call Tandem.
    .body = { $program ->
        [ufw] The firewall ufw is on, and UDP port { $port } isn't open in it.
        [firewalld] The firewall firewalld is on, and UDP port { $port } isn't open in it.
       *[system] Calls to UDP port { $port } reach this computer, and its packet filter drops them.
    } Other computers can't call this one, in your own network too.
    .action = Open the port
    .command = tandem firewall allow
N24 = Whether the firewall of this computer is in the way can't be seen.
    .body = { $program ->
        [ufw] The firewall ufw is on; its rules are for the administrator only.
       *[system] Only the administrator can see its rules.
    }
    .action = If other computers can't call this one, allow UDP port { $port } and multicast DNS (UDP port 5353)
    .command = { $program ->
        [ufw] tandem firewall allow
        [nftables] sudo nft list ruleset
       *[system] tandem firewall
    }
N30 = "{ $given }" names no rendezvous.
    .body = At most two can be used, each written HOST:PORT=KEY, as the rendezvous prints it when it starts.
    .action = Copy the whole text
N31 = "{ $given }" can't be used as a relay.
    .body = A relay is written HOST:PORT and has a user with a password.
    .action = Look the three up where the relay was set up
N32 = «{ $server }» is on, but the routers let no connection through.
    .body = A rendezvous told both computers of each other. Both routers drop what the other side sends.
    .action = On the server, have the router open a port, or choose a relay
N33 = Some computers will need a relay to reach this one.
    .body = The router here gives every destination another address. Where the other side's router does so too, no way can be opened.
    .action = Choose a relay, or switch on UPnP, NAT-PMP or PCP in the router
N34 = A computer with another version of Tandem wanted in.
    .body = { $older ->
        [here] It called from { $address } and speaks version { $other } of the protocol, this computer only { $have }. It was sent away; nothing was changed.
        [there] It called from { $address } and speaks only version { $other } of the protocol, this computer { $have }. It was sent away; nothing was changed.
       *[unknown] It called from { $address } and speaks another version of the protocol than this computer ({ $have }). It was sent away; nothing was changed.
    }
    .action = { $older ->
        [here] Update Tandem on this computer
        [there] Update Tandem on the other computer
       *[unknown] Update Tandem on the computer with the older version
    }
N35 = The relay says no.
    .body = { $relay } doesn't know this user with this password, or has no room. Computers that find no direct way can't reach this one.
    .action = Choose the relay anew, with the user and password it was set up with
    .command = tandem relay HOST:PORT --user NAME
N36 = The relay doesn't answer.
    .body = Nobody answers at { $relay } (UDP). Computers that find no direct way can't reach this one meanwhile. Tandem tries again by itself.
    .action = Look whether the relay is on, and whether its port is open
N37 = The relay is of no use without a rendezvous.
    .body = { $relay } lets in only whom this computer names, and this computer hears of them at a rendezvous. None is chosen.
    .action = Choose a rendezvous
    .command = tandem rendezvous HOST:PORT=KEY
N38 = This network lets no UDP out.
    .body = Web pages work here; the packets by which Tandem's computers talk don't get out. In your own network everything works.
    .action = Ask whoever runs this network to allow outgoing UDP, or use another one, for example your phone's
N39 = An organisation manages this computer.
    .body = It belongs to { $domain }, whose administrators decide what its firewall and its network let through.
    .action = If other computers don't find or reach it, show this check to them
N40 = This network hides its computers from each other.
    .body = «{ $server }» is reached, but what it announces (multicast DNS) doesn't arrive here. New computers don't find it in the list.
    .action = Add computers by invitation file, or allow multicast (UDP port 5353) in the Wi-Fi or the switch
N41 = The firewall was left as it is.
    .body = { $program ->
        [nftables] Its rules were written by somebody, and Tandem changes none of them.
       *[other] The system didn't allow the change, or nobody confirmed it. In your own network what worked goes on working.
    }
    .action = Open UDP port { $port } yourself
    .command = { $program ->
        [ufw] sudo ufw allow { $port }/udp
        [firewalld] sudo firewall-cmd --permanent --add-port={ $port }/udp && sudo firewall-cmd --permanent --add-service=mdns && sudo firewall-cmd --reload
        [nftables] sudo nft 'insert rule inet filter input udp dport { "{" } { $port }, 5353 { "}" } accept'
       *[system] tandem firewall allow
    }
N42 = This line is paid by what goes over it.
    .body = You said that the Internet waits on such lines. «{ $server }» is reached again in another network; your changes are kept until then.
    .action = Wait for another network, or synchronize here too

## Access: passwords, keys, permission

A01 = The password isn't right.
    .body = «{ $server }» was found, but didn't accept this password. { $tries ->
        [one] You have one try left before a pause of { $wait }.
       *[other] You have { $tries } tries left before a pause of { $wait }.
    }
    .action = Try again
A02 = This is not the server you expected.
    .body = Its key is different from the one in { $known_by ->
        [id] your server ID
        [invitation] the invitation
        [lan] what the network said about it
       *[last] your last connection
    }. Nothing was sent. If the owner set up the server again, ask for a new invitation; if not, someone may be intercepting the connection.
    .action = Stop, and ask the owner
A03 = This computer was removed from «{ $server }».
    .body = Its owner can let it in again. What is stored here stays here.
    .action = Ask the owner, then connect anew
A04 = Adding computers over the Internet is closed at the moment.
    .body = There were too many wrong passwords. The owner can open it on «{ $server }», or you connect in its network, or with an invitation that has a ticket.
    .action = Ask the owner to open it
A05 = This password is too easy to guess.
    .body = { $reason ->
        [length] { password-reason-length }
        [too-long] { password-reason-too-long }
        [common] { password-reason-common }
        [name] { password-reason-name }
        [words] { password-reason-words }
        [date] { password-reason-date }
        [repeat] { password-reason-repeat }
        [sequence] { password-reason-sequence }
        [keyboard] { password-reason-keyboard }
       *[guessable] { password-reason-guessable }
    }
    .action = Choose a longer one, or take the suggestion
A06 = «{ $server }» asks its owner first.
    .body = This computer was removed there before. As soon as the owner allows it, you can connect.
    .action = Ask the owner to allow it, then try again
A07 = Too many wrong passwords from this computer.
    .body = «{ $server }» takes the next try in { $wait }. Computers that are already connected go on working.
    .action = Please wait { $wait }
A08 = Adding computers is closed at the moment.
    .body = There were too many wrong passwords in the network of «{ $server }». The owner opens it with "Add a computer".
    .action = Ask the owner to open it
A09 = «{ $server }» must agree first.
    .body = Taking over this computer's data replaces what is on the server. Its owner has to allow that for this computer.
    .action = Ask the owner to allow it, or combine both
    .command = tandem devices takeover allow
A10 = A password is needed.
    .body = None is saved for this, and none was given.
    .action = Give it in a file or on standard input
    .command = --password-file FILE
A11 = «{ $server }» doesn't know this computer any more.
    .body = Its list of computers isn't what it was, as after restoring a backup. What is stored here stays here.
    .action = Connect anew with the password
    .command = tandem leave, then: tandem join

## The password store of this computer

K01 = The password store is locked.
    .body = Tandem can't read its key until you unlock it. Synchronization waits, nothing is lost.
    .action = Unlock it, then try again
K02 = This computer has no password store.
    .body = Tandem keeps its key in a protected file of yours instead; the password isn't saved.
    .action = Go on
K03 = The key of this computer is gone.
    .body = The place where Tandem keeps it answers, but holds no key, and a new one would be a stranger to your other computers. Nothing was changed.
    .action = Restore the password store or the profile folder from a backup, or set this computer up again
K04 = The key of this computer can't be used.
    .body = What is kept in its place was changed or belongs to another computer. Nothing was changed.
    .action = Restore the password store or the profile folder from a backup, or set this computer up again
K05 = The password store doesn't answer.
    .body = The key of this computer is kept there. Synchronization waits, nothing is lost.
    .action = Log in to your desktop, or start the password store, then try again
K06 = Others can read the file with this computer's key.
    .body = «{ $file }» must be readable by you alone.
    .action = Take away the others' permission, then try again
    .command = chmod 600 "{ $file }"

## Data on this computer

D01 = Outlook is waiting for an answer.
    .body = It shows a window and doesn't let Tandem in until you have answered it.
    .action = Answer it in Outlook, then try again
D02 = { $program ->
        [other] Another program is using the data alone.
       *[known] { $program } is using the data alone.
    }
    .body = Tandem will try again every minute and loses nothing. If it stays like this, close { $program ->
        [other] that program
       *[known] { $program }
    } once.
    .action = Try now
D03 = The data isn't there.
    .body = «{ $place }» can't be found; perhaps a drive isn't connected. Nothing was deleted anywhere; synchronization of it waits.
    .action = Bring it back, then try again
D04 = Other data lies at this place.
    .body = «{ $place }» isn't what Tandem synchronized before. Nothing was changed; synchronization of it waits.
    .action = Bring the old data back, or connect this place anew
D05 = «{ $folder }» is suddenly empty.
    .body = Everything in it is gone at once on this computer. It wasn't deleted anywhere else; synchronization of it waits for you.
    .action = Bring the items back, or delete them everywhere
    .command = tandem held
D06 = There is no data Tandem knows at this place.
    .body = In «{ $place }» Tandem looked for mail (Maildir), contacts (vCard) and calendars (iCalendar) and found { $found }.
    .action = Choose another folder, or an empty one
D07 = «{ $path }» can't be read.
    .body = This computer doesn't let Tandem read it. The rest goes on; nothing is deleted because of it.
    .action = Give Tandem permission, then try again
D08 = «{ $path }» can't be written.
    .body = It can only be read. Changes from other computers wait; nothing is lost.
    .action = Allow writing, or choose the direction "to the server" for this folder
D09 = These files have to be imported first.
    .body = «{ $place }» holds { $found }. Tandem can take them into a new folder; the files themselves stay as they are.
    .action = Import them into an empty folder, or choose another one
D10 = «{ $name }» can't be combined.
    .body = Tandem can't look into this item in «{ $folder }», so it carries it as it is, letter for letter. Both versions are kept.
    .action = Choose one of the two, or keep both
D11 = «{ $name }» is too large.
    .body = It has { $size }, and items can have { $max }. It stays where it is in «{ $folder }»; all others are synchronized.
    .action = Make it smaller, or leave it out
D13 = «{ $name }» can't be kept at this place.
    .body = «{ $folder }» takes no such kind of item. It stays where it is; all others are synchronized.
    .action = Choose another folder for it
D14 = Tandem doesn't know «{ $spec }».
    .body = A place for data is written CONNECTOR:PLACE, for instance files:/home/anna/Data.
    .action = See what there is on this computer
    .command = tandem stores
D15 = Outlook is closed.
    .body = Tandem doesn't start it unasked. Changes are collected, and carried over when Outlook is open again.
    .action = Open Outlook
D16 = There is no Outlook on this computer that Tandem can ask.
    .body = Needed is classic Outlook for Windows, set up and used at least once.
    .action = See what there is on this computer
    .command = tandem stores
D17 = Outlook on this computer is the new Outlook.
    .body = The new Outlook lets no other program at its data. Classic Outlook does, and can be used beside it.
    .action = Switch to classic Outlook, or choose a folder as the place of the data
D18 = Outlook is busy.
    .body = It is doing something that takes long. Tandem tries again by itself.
    .action = Wait until Outlook is done
D19 = Outlook and Tandem run with different rights.
    .body = One of them was started as administrator; Windows keeps the two apart then.
    .action = Close both, and start both without administrator rights
D20 = Outlook refuses other programs.
    .body = Somebody said no when Outlook asked, or a rule of the company forbids it. Nothing was changed.
    .action = In Outlook: File, Options, Trust Center, Programmatic Access
D21 = «{ $file }» is no data file that Tandem can read.
    .body = Tandem reads .pst, .msg, .mbox, .eml, .vcf and .ics files. Nothing was changed.
    .action = Choose another file, or save it in one of these formats first
D22 = «{ $file }» is from a newer Outlook than Tandem can read.
    .body = It is an offline copy (.ost) of Outlook 2013 or newer, format { $version }. What is in it is on the mail server too. Nothing was changed.
    .action = Export it in Outlook: File, Open & Export, Import/Export, Outlook data file (.pst)
D23 = A part of «{ $file }» is damaged.
    .body = What can be read was brought in; this part could not be. The file itself stays as it is.
    .action = Repair the file with scanpst.exe, which comes with Outlook, and import it again: nothing comes twice
D24 = There is no Evolution Data Server on this computer.
    .body = It keeps the contacts, calendars, tasks and notes of GNOME's programs, and comes with them.
    .action = Install the package evolution-data-server, or choose a folder as the place of the data
D25 = Evolution Data Server doesn't answer.
    .body = It runs while you are logged in to your desktop. Nothing was changed; Tandem asks again by itself and loses nothing.
    .action = Log in to your desktop, then try again
D26 = Evolution Data Server is busy.
    .body = It is doing something that takes long. Tandem tries again by itself.
    .action = Wait until it is done
D27 = Evolution Data Server refuses other programs.
    .body = A rule of this computer lets Tandem not ask it, for instance because it runs in a sandbox. Nothing was changed.
    .action = Allow Tandem to talk to org.gnome.evolution.dataserver, or choose a folder as the place of the data
D28 = «{ $spec }» shows data that another chosen place shows already.
    .body = Everything in it would be there twice. Nothing was changed.
    .action = Leave one of the two out

## Synchronization

S01 = { $n ->
        [one] One item would be deleted – stopped to be safe.
       *[other] { $n } items would be deleted – stopped to be safe.
    }
    .body = { $computer ->
        [other] { $n } of { $all } items are missing in «{ $folder }» on another computer.
       *[known] { $n } of { $all } items are missing in «{ $folder }» on { $computer }.
    } Were they deleted on purpose?
    .action = Keep them (restore there), or delete them everywhere
    .command = tandem held restore "{ $folder }"
S02 = There is no room left on this computer.
    .body = { $need_bytes ->
        [0] Its disk is full.
       *[other] { $need } are needed, { $free } are free.
    } Nothing was changed; synchronization goes on when there is room.
    .action = Free up space, or choose fewer folders
S03 = The connection broke off.
    .body = { $done } of { $all } items are finished and safe. Tandem continues by itself when the connection is back.
    .action = Continue now
    .command = tandem sync
S04 = { $n ->
        [one] One item couldn't be synchronized.
       *[other] { $n } items couldn't be synchronized.
    }
    .body = { $reason ->
        [too-large] It is too large
        [unsupported] The program here has no such kind of item
        [past-bounds] It has more parts than Tandem takes
        [not-allowed] This computer may not write in its folder
       *[several] Not all for the same reason
    }: «{ $name }». All others are up to date.
    .action = See the items
S05 = «{ $folder }» looks like a restored backup.
    .body = { $n ->
        [one] One item went
       *[other] { $n } items went
    } back to an earlier state at once on this computer, or lost most of their content. They are held until you decide; everything else goes on.
    .action = Keep the newer ones, or allow the earlier ones everywhere
    .command = tandem held
S06 = Both sides are compared anew.
    .body = The records of this computer and of the server don't continue each other: one of them was restored from a backup or set up again. Nothing is deleted by comparing.
    .action = Nothing has to be done
S07 = Nothing has been changed yet.
    .body = This is the preview. Synchronization starts only when you confirm it.
    .action = Check it, then confirm
    .command = --yes
S08 = { $n ->
        [one] One item was not undone.
       *[other] { $n } items were not undone.
    }
    .body = They were changed again since. Undoing would take those newer changes away.
    .action = Look at the items
S09 = Tandem's own records were damaged.
    .body = They lie in «{ $file }» now, and both sides are compared anew. Your mail, contacts and calendars are untouched, and nothing is deleted by that.
    .action = Nothing has to be done; if it happens again, have the disk checked
S10 = { $n ->
        [one] One conflict waits for your decision.
       *[other] { $n } conflicts wait for your decision.
    }
    .body = The same item was changed on two computers. Until you decide, all computers keep the server's version and the other one is kept aside.
    .action = Decide
    .command = tandem conflicts
S11 = Synchronization went in a circle and was stopped.
    .body = Planning came to no end. Nothing was lost, and what was finished is safe. Something is wrong in Tandem itself.
    .action = Try again; if it stays like this, send a report
    .command = tandem sync
S12 = This was the first synchronization.
    .body = Undone like any other run, it would take away at «{ $server }», too, what came from there. Taking it back gives this computer what it had before, and disconnects it.
    .action = Disconnect, and take it back
    .command = tandem leave --undo

## Settings, profile, commands

C01 = Settings can't be saved.
    .body = Tandem may not write to { $folder }. Your choices hold until you quit.
    .action = Allow writing there, then try again
C02 = The settings can't be understood.
    .body = In { $file }, line { $line }: { $reason }.
    .action = Correct that line, or put the file aside to start anew
C03 = The settings were written by a newer Tandem.
    .body = { $file } has version { $version }. Nothing was changed.
    .action = Update Tandem
C04 = Tandem is already running with this profile.
    .body = The profile in { $folder } is in use, and the running Tandem doesn't take this request.
    .action = Use the running one, end it first, or choose another profile folder
C05 = This computer isn't set up yet.
    .body = It is neither a server nor connected to one.
    .action = Set up a server, or connect to one
    .command = tandem init --server, or: tandem join
C06 = This computer is already set up.
    .body = It is { $role ->
        [server] a server
       *[client] connected to a server
    }. A profile has one role.
    .action = Use another profile folder, or leave first
    .command = --config-dir DIR
C07 = There is no computer «{ $device }».
    .body = Among the computers of this server none has this name or ID.
    .action = Look at the list
    .command = tandem devices
C08 = There is no folder «{ $folder }».
    .body = No synchronized folder has this name.
    .action = Look at the list
    .command = tandem folders
C09 = There is no conflict «{ $id }».
    .body = It may have been decided already, perhaps on another computer.
    .action = Look at the list
    .command = tandem conflicts
C10 = There is nothing to undo under «{ $id }».
    .body = The history holds no such run or item. It reaches back as many days as the settings say.
    .action = Look at the list
    .command = tandem history
C11 = The request can't be understood.
    .body = { $reason }.
    .action = Look at the help
    .command = tandem --help
C12 = Tandem isn't running.
    .body = This needs a running Tandem for the profile in { $folder }, and none answers.
    .action = Start it, then try again
    .command = tandem serve, or: tandem run
C13 = Something unexpected happened.
    .body = Tandem stopped this step to be safe. What was finished before is kept.
    .action = Try again; if it stays, send a report
    .command = tandem doctor
C14 = The profile folder can't be used.
    .body = Tandem can't create or open { $folder }.
    .action = Give Tandem permission there, or choose another folder
    .command = --config-dir DIR
C15 = This works on the server only.
    .body = This computer is a client. What you asked for is decided on the computer that has the data.
    .action = Do it on the server
C16 = This works on a client only.
    .body = This computer is the server.
    .action = Do it on the other computer
C17 = The records were written by a newer Tandem.
    .body = { $file } can't be read by this version. Nothing was changed.
    .action = Update Tandem
C18 = «{ $name }» means more than one.
    .body = { $n } entries begin like that.
    .action = Write more of it
C19 = «{ $file }» can't be written.
    .body = This computer doesn't let Tandem write there, or the folder doesn't exist.
    .action = Choose another place
C20 = «{ $file }» can't be read.
    .body = It doesn't exist, isn't a file, or this computer doesn't let Tandem read it.
    .action = Choose another file
C21 = This name can't be used.
    .body = A name has 1 to { $chars_max } characters on one line.
    .action = Choose another name
C22 = This comment can't be used.
    .body = A comment has at most { $chars_max } characters on one line.
    .action = Shorten it

## How strong a password is

password-too-short = Too short
password-weak = Weak
password-good = Good
password-strong = Strong
password-reason-length = It needs at least { $chars_min } characters.
password-reason-too-long = It can have at most { $bytes_max } bytes.
password-reason-common = This is a common password.
password-reason-name = It holds a name, or the name of the server or product.
password-reason-words = Common words are guessed first. Use more of them, or rarer ones.
password-reason-date = Dates and years are guessed early.
password-reason-repeat = Repeated characters and words add little.
password-reason-sequence = Rows like abc or 6543 add little.
password-reason-keyboard = Keys that lie side by side are guessed early.
password-reason-guessable = It is too short for what it is made of. Make it longer.

## Amounts

duration-seconds = { $count ->
        [one] one second
       *[other] { $count } seconds
    }
duration-minutes = { $count ->
        [one] one minute
       *[other] { $count } minutes
    }
duration-hours = { $count ->
        [one] one hour
       *[other] { $count } hours
    }
duration-days = { $count ->
        [one] one day
       *[other] { $count } days
    }

# The window's own dialogs, and what was taken away
window-choose-folder = Choose a folder
window-choose-data-file = Choose an old data file
window-data-files = Data files
window-choose-invitation = Open an invitation
window-save-invitation = Save the invitation
window-save-preview = Save the preview
window-choose-backup = Where shall earlier versions be kept?
window-export-settings = Save the settings
window-import-settings = Take over settings from a file
window-save-history = Save the history
window-save-report = Save the report
window-invitations = Tandem invitations
window-files = Files
removed-access = This computer's key, password and records
removed-autostart = The start with the computer
removed-settings = Settings, earlier versions and logs

# The tray
tray-open = Open Tandem
tray-sync-now = Synchronize now
tray-pause = Pause
tray-pause-half-hour = For 30 minutes
tray-pause-tomorrow = Until tomorrow
tray-pause-until-continued = Until I continue
tray-continue = Continue
tray-conflicts = Conflicts ({ $n })…
tray-invite = Invite another computer…
tray-settings = Settings…
tray-help = Help
tray-quit = Quit Tandem
tray-up-to-date = Up to date
tray-synchronizing = Synchronizing
tray-paused = Paused
tray-waiting = Waiting for { $server }
tray-offline = Offline
tray-needs-decision = Needs your decision
tray-problem = Problem

# Notifications
notice-conflict = A conflict waits for you
notice-conflict-text = The same item was changed on two computers. Open Tandem to decide.
notice-held = { $n ->
    [one] A deletion waits for you
   *[other] { $n } deletions wait for you
}
notice-held-text = Tandem stopped to be safe. Open Tandem to decide.
notice-silence = { $days ->
    [one] Not synchronized for a day
   *[other] Not synchronized for { $days } days
}
notice-silence-text = The other computer may be off. Open Tandem to see what to do.
