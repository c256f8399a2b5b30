# Was das Terminal neben den Meldungen sagt. Diese stehen mit ihren Codes in crates/app/locales.
#
# Wörter wie in der englischen Datei: niemand wird beschuldigt, nichts erschreckt. Man wird mit Sie angesprochen.

## Zeiten

ago-seconds = { $count ->
        [0] gerade eben
        [one] vor einer Sekunde
       *[other] vor { $count } Sekunden
    }
ago-minutes = { $count ->
        [one] vor einer Minute
       *[other] vor { $count } Minuten
    }
ago-hours = { $count ->
        [one] vor einer Stunde
       *[other] vor { $count } Stunden
    }
ago-days = { $count ->
        [one] gestern
       *[other] vor { $count } Tagen
    }
today = heute

## Wie es steht

status-server = «{ $name }» ist der Server.
status-client = «{ $name }» ist als Client mit «{ $server }» verbunden.
status-address = Er ist erreichbar unter { $address }
status-fingerprint = Fingerabdruck des Servers: { $fingerprint }
status-conflicts = { $n ->
        [one] Ein Konflikt wartet auf Ihre Entscheidung: tandem conflicts
       *[other] { $n } Konflikte warten auf Ihre Entscheidung: tandem conflicts
    }
status-held = { $n ->
        [one] Ein angehaltener Eintrag wartet auf Ihre Entscheidung: tandem held
       *[other] { $n } angehaltene Einträge warten auf Ihre Entscheidung: tandem held
    }
word-up-to-date = Alles aktuell.
word-synchronizing = { $pending ->
        [0] Synchronisiert.
        [one] Synchronisiert: Ein Eintrag steht noch aus.
       *[other] Synchronisiert: { $pending } Einträge stehen noch aus.
    }
word-paused = Pausiert bis «tandem resume».
word-paused-for = Pausiert noch { $time }.
word-not-running = Läuft gerade nicht. «tandem run» (bleibt) oder «tandem sync» (einmal) überträgt Änderungen.
word-not-serving = Läuft gerade nicht. Andere Computer können sich verbinden, solange «tandem serve» läuft.
word-waiting = Wartet auf «{ $server }».
word-waiting-for-clients = Bereit. Gerade ist kein anderer Computer verbunden.
word-offline = Offline.
word-needs-decision = Ihre Entscheidung ist nötig.
word-problem = Etwas steht im Weg.
internet-on = «Über das Internet synchronisieren» ist an.
internet-off = «Über das Internet synchronisieren» ist aus: nur im eigenen Netzwerk.
firewall-open = Die Firewall lässt Anrufe beim UDP-Port { $port } durch ({ $program }).
firewall-none = Auf diesem Computer ist keine Firewall im Weg.
one-of-checks = { $id ->
        [network] Dieser Computer hat ein Netzwerk
        [own-internet-switch] «Über das Internet synchronisieren» passt auf diesem Computer
        [internet] Das Internet ist erreichbar
        [managed-network] Dieses Netz lässt Tandem durch
        [findable] Es gibt einen Weg, den Server zu finden
        [local-firewall] Die Firewall dieses Computers lässt Anrufe durch
        [gateway] Es gibt einen Router
        [mapping] Der Router lässt Anrufe aus dem Internet durch
        [path] Ein Weg führt durch die Router
        [server-online] Der Server antwortet
        [server-internet-switch] «Über das Internet synchronisieren» passt auf dem Server
        [server-key] Es ist der richtige Server
        [version] Die Versionen passen zusammen
        [access] Dieser Computer darf sich verbinden
        [data-readable] Die Daten sind lesbar
       *[other] { $id }
    }

## Während es läuft

progress-reading = Die Daten werden gelesen …
progress-comparing = Beide Seiten werden verglichen …
progress-connecting = Verbindung zu { $server } …
progress-items = { $done } von { $total } Einträgen, { $bytes }
progress-left = noch etwa { $time }
synchronizing = Synchronisiert …
serving = Bereit für andere Computer unter { $addresses }. Strg-C beendet es.
staying-connected = Bleibt verbunden. Strg-C beendet es.
ended = Beendet.
conflict-came = Ein Konflikt wartet auf Ihre Entscheidung: tandem conflicts
sync-nothing = Beide Seiten sind gleich.
sync-quiet = { $n ->
        [one] Beide Seiten sind gleich. Ein Eintrag wurde übertragen ({ $bytes }).
       *[other] Beide Seiten sind gleich. { $n } Einträge wurden übertragen ({ $bytes }).
    }

## Einrichten

password-of = Kennwort von «{ $server }»
password-suggestion = Andere Computer müssen das Kennwort dieses Servers einmal eingeben. Ein gutes: { $password }
password-new = Kennwort (nichts: das gute nehmen)
password-again = Noch einmal dasselbe
password-differs = Das waren zwei verschiedene. Noch einmal.
server-made = «{ $name }» ist jetzt ein Server.
server-next = Als Nächstes: «tandem serve», und in einem anderen Terminal: «tandem invite --out DATEI».
joining = Verbindung zu «{ $server }» …
preview-added-here = kommt hierher
preview-added-there = kommt auf «{ $server }»
preview-same = gleich
preview-differ = verschieden
preview-not-sure = unsicher
preview-total = Zusammen
preview-name = In { $folder }: { $name }
preview-more-names = { $n ->
        [one] In { $folder }: und einer mehr
       *[other] In { $folder }: und { $n } mehr
    }
preview-removed-here = { $n ->
        [one] Ein Eintrag, der nur hier ist, kommt in die Sicherung; «tandem undo» holt ihn zurück.
       *[other] { $n } Einträge, die nur hier sind, kommen in die Sicherung; «tandem undo» holt sie zurück.
    }
preview-removed-there = { $n ->
        [one] Ein Eintrag, der nur auf «{ $server }» ist, kommt in die Sicherung; «tandem undo» holt ihn zurück.
       *[other] { $n } Einträge, die nur auf «{ $server }» sind, kommen in die Sicherung; «tandem undo» holt sie zurück.
    }
preview-bytes = { $here } kommen hierher, { $there } werden gesendet.
preview-question = Synchronisation starten? [j/N]
preview-how = Bisher wurde nichts verändert. Zum Starten denselben Befehl mit --yes aufrufen.
yes-letters = jy
leave-question = Die Verbindung zu «{ $server }» aufgeben? Die Daten bleiben hier. [j/N]
leave-undo-question = Die Verbindung zu «{ $server }» aufgeben und diesem Computer zurückgeben, was er vorher hatte? Was von hier kam, bleibt dort. [j/N]
leave-question-server = Nicht mehr Server sein? Die Daten bleiben hier; andere Computer können sich nicht mehr verbinden. [j/N]
taken-back = { $n ->
        [0] Es war nichts rückgängig zu machen.
        [one] Ein Eintrag ist, wie er vor der ersten Synchronisierung war.
       *[other] { $n } Einträge sind, wie sie vor der ersten Synchronisierung waren.
    }
left = Fertig. Die Daten bleiben hier; Zugang und Geheimnisse sind weg.
nothing-changed = Es wurde nichts verändert.

## Ordner

head-folder = Ordner
head-direction = Änderungen gehen
head-items = Einträge hier
head-same = Auf beiden Seiten
head-here = Heißt hier
way-both = in beide Richtungen
way-to-server = nur zum Server
way-to-here = nur zu diesem Computer
way-off = gar nicht
way-paused = erst, wenn Sie fortsetzen
folders-none = Noch keine Ordner.
folder-set = { $folder }: Änderungen gehen { $way }.
folder-rests = { $folder } ruht bis: tandem folders resume
folder-goes-on = { $folder } geht weiter wie zuvor.
folder-released = { $folder } ist für { $device } freigegeben.
folder-kept-back = { $folder } ist für { $device } gesperrt. Was schon dort ist, bleibt dort.

## Löschungen, die warten

held-none = Nichts wartet auf eine Entscheidung.
held-how = Es war so gemeint: tandem held allow ORDNER. Wie vorher: tandem held restore ORDNER.
held-at-server = { $folder }: { $n } von { $of } Einträgen wurden auf diesem Computer gelöscht; überall sonst sind sie noch da.
held-here = { $folder }: { $n } von { $of } Einträgen wurden anderswo gelöscht; hier sind sie noch da.
held-emptied = { $folder }: Alle { $n } Einträge waren auf diesem Computer auf einmal weg; überall sonst sind sie noch da.
held-reverted = { $folder }: { $n } von { $of } Einträgen sind auf diesem Computer in einen früheren Zustand zurückgefallen, wie nach dem Zurückspielen einer Sicherung; überall sonst sind sie, wie sie waren.
held-deleted-elsewhere = { $n ->
        [one] { $folder }: Ein Eintrag hier wurde anderswo gelöscht, bevor dieser Computer eingerichtet wurde.
       *[other] { $folder }: { $n } Einträge hier wurden anderswo gelöscht, bevor dieser Computer eingerichtet wurde.
    }
held-allowed = { $folder }: Was hier geschah, gilt überall. Das lässt sich 30 Tage lang rückgängig machen.
held-restored = { $folder }: Die Einträge sind wieder wie zuvor.
held-restoring = { $folder }: Die Einträge kommen zurück.
decided-later = Das ist gemerkt. Was davon noch zu tun ist, geschieht bei der nächsten Synchronisierung.

## Konflikte

head-id = ID
head-title = Titel
head-fields = Was sich unterscheidet
head-since = Seit
head-server-version = Fassung aller
head-other-version = Die andere Fassung
conflicts-none = Keine Konflikte. Wird dasselbe in einem Eintrag auf zwei Computern geändert, entscheiden Sie hier.
conflicts-how = Ansehen: tandem conflicts show ID. Entscheiden: tandem conflicts resolve ID --keep server, client, both oder merge.
conflict-title = «{ $title }» in { $folder }
conflict-not-here = Die andere Fassung ist nicht auf diesem Computer. Auf dem Server ist sie zu sehen; entscheiden geht auch von hier.
resolved-server = Entschieden: Die Fassung aller bleibt.
resolved-client = Entschieden: Die andere Fassung wird die aller.
resolved-both = Entschieden: Die andere Fassung wird ein eigener Eintrag.
resolved-merge = Entschieden: Was nur die andere Fassung hat, kommt hinzu.

## Verlauf

head-run = Lauf
head-when = Wann
head-added = Neu
head-changed = Geändert
head-deleted = Gelöscht
head-folders = Ordner
head-conflicts = Konflikte
head-what = Was
head-where = Wo
head-item = Eintrag
history-more = Ältere, falls es welche gibt: tandem history --before { $run }
history-none = Es ist noch nichts geschehen.
run-goes-on = läuft
run-empty = In diesem Lauf hat sich nichts geändert.
one-of-actions = { $action ->
        [added] neu
        [changed] geändert
        [moved] verschoben
        [flagged] markiert
        [deleted] gelöscht
        [conflict] Konflikt
        [kept] behalten
        [folderAdded] Ordner neu
        [folderRenamed] Ordner umbenannt
        [folderMoved] Ordner verschoben
        [folderDeleted] Ordner gelöscht
       *[other] { $action }
    }
was-undone = rückgängig gemacht
where-here = hier
where-there = auf dem Server
undone = { $n ->
        [0] Es wurde nichts rückgängig gemacht.
        [one] Rückgängig gemacht – ein Eintrag ist zurück.
       *[other] Rückgängig gemacht – { $n } Einträge sind zurück.
    }

## Andere Computer

head-name = Name
head-system = System
head-version = Tandem
head-added-at = Hinzugefügt
head-seen = Gesehen
servers-looking = Server in diesem Netzwerk werden gesucht …
head-address = Adresse
server-is-silent = antwortet nicht mehr
server-is-known = der Server dieses Computers
devices-none = Noch darf sich kein anderer Computer verbinden. Einen einladen: tandem invite --out DATEI
device-is-removed = entfernt
device-is-connected = verbunden
device-renamed = Er heißt jetzt «{ $name }».
device-removed = Entfernt. Er kann sich nicht mehr verbinden; Daten, die schon dort sind, bleiben dort.
device-allowed = Er darf sich neu verbinden, mit dem Kennwort.
take-over-allowed = Er darf die Daten des Servers einmal durch seine eigenen ersetzen.
add-window-open = Zehn Minuten lang gibt es beim Hinzufügen eines Computers zusätzliche Versuche für das Kennwort.
door-open = Computer können wieder hinzugefügt werden.
password-set = Das neue Kennwort gilt. Computer, die schon verbunden sind, bleiben verbunden.
password-set-all-out = Das neue Kennwort gilt. Jeder Computer muss es eingeben.
service-id-renewed = Die Service-ID ist erneuert. Verbundene Computer erfahren sie von selbst; alte Einladungen gelten nicht mehr.
invitation-saved = Gespeichert als { $file }
invitation-addresses = Sie führt zu { $addresses }.
invitation-ticket = { $days ->
        [one] Ihr Ticket gilt einen Tag.
       *[other] Ihr Ticket gilt { $days } Tage.
    }
invitation-no-password = Sie enthält das Kennwort nicht: Geben Sie es auf anderem Weg weiter, zum Beispiel am Telefon.

## Veröffentlichen

peer-names-on = Andere Computer finden diesen Server auch, nachdem sich seine Adresse geändert hat.
peer-names-off = Nichts sagt mehr, wo dieser Server ist, wenn sich seine Adresse ändert.
rendezvous-none = Kein Vermittlungsdienst verbindet andere Computer mit diesem Server.
rendezvous-no-line = Es besteht keine Verbindung zu ihm.
rendezvous-sees = Er sieht diesen Server unter { $address }.
translation-unknown = Was der Router mit Adressen macht, ist nicht bekannt.
translation-none = Kein Router ändert Adressen.
translation-independent = Der Router benutzt für alle Ziele dieselbe Adresse; andere Computer können verbunden werden.
translation-dependent = Der Router benutzt für jedes Ziel eine andere Adresse (symmetrisches NAT); manche anderen Computer brauchen ein Relay.
relay-none = Es wird kein Relay benutzt.
relay-later = { $address } wird benutzt, sobald der Server mit «Über das Internet synchronisieren» läuft.
relay-not-yet = { $address } kann noch nicht benutzt werden.
relay-ready = { $address } gibt Pakete von Computern weiter, die keinen direkten Weg finden.
publish-intro = Das wird gespeichert:
publish-name =   der Name des Servers     { $name }
publish-id =   eine zufällige Server-ID { $id }
publish-comment =   Ihr Kommentar            { $comment }
publish-key =   der öffentliche Schlüssel { $key }
publish-service-id =   eine zufällige Service-ID
publish-made-now = wird jetzt erzeugt
publish-none = keiner
publish-where = Wo: im offenen Netz für Adressen (Mainline-DHT), verschlüsselt. Nur wer die Server-ID hat, findet und liest es; das Netz vergisst es etwa zwei Stunden, nachdem Sie es zurückziehen oder dieser Server aus ist.
publish-where-directory = Wo: im Verzeichnis { $directory }. Es löscht den Eintrag, sobald Sie ihn zurückziehen, und 60 Tage nachdem es zuletzt von diesem Server gehört hat.
publish-dht = dem offenen Netz für Adressen
publish-not-stored = Nicht gespeichert: Ihre E-Mail-Adresse, Mails, Kontakte, Kalender, Kennwort.
publish-how = Zum Veröffentlichen: derselbe Befehl mit --yes
publish-question = Diesen Server veröffentlichen?
publishing = Wird veröffentlicht …
published = Veröffentlicht. Die Server-ID lautet
published-next = Geben Sie sie denen, die sich verbinden sollen, und nennen Sie ihnen das Kennwort auf anderem Weg, zum Beispiel am Telefon.
published-not-yet = Noch nicht in { $place } [{ $code }]: Tandem versucht es wieder, solange der Server läuft.
not-published = Dieser Server ist nicht veröffentlicht.
revoke-question = Die Veröffentlichung von «{ $name }» zurückziehen? Die Server-ID { $id } gilt dann nicht mehr. Bereits verbundene Computer bleiben verbunden.
revoked = Zurückgezogen. Die Server-ID führt nirgends mehr hin.
revoke-queued = Die Server-ID lässt niemanden mehr herein. Aus dem Netz verschwindet sie, sobald dieser Computer online ist; bis dahin sehen andere vielleicht noch den Namen.
found-by-id = Gefunden: «{ $name }»{ $comment ->
        [none] {""}
       *[other] {" "}({ $comment })
    }
    Fingerabdruck: { $fingerprint }
looking-up = Die Server-ID wird nachgeschlagen …

## Orte

stores-none = An den üblichen Orten wurden keine Daten gefunden. In einen Ordner sehen: tandem stores ORDNER
stores-missing = gibt es noch nicht; er kann angelegt werden
stores-empty = leer; der Aufbau kann darin angelegt werden
stores-layout = enthält { $parts }
stores-part = ist selbst ein Teil: { $part }
stores-importable = { $items ->
        [one] enthält einen losen Eintrag; in einen Speicher bringen: tandem import DATEI --into SPEICHER
       *[other] enthält { $items } lose Einträge in { $files } Dateien; in einen Speicher bringen: tandem import DATEI… --into SPEICHER
    }
stores-other = enthält anderes ({ $names } Namen: { $examples })
imported = { $present ->
        [0] { $n } Einträge kamen hinzu.
       *[other] { $n } Einträge kamen hinzu; { $present } waren schon da.
    }
import-preview = { $present ->
        [0] { $n } Einträge kämen hinzu.
       *[other] { $n } Einträge kämen hinzu; { $present } sind schon da.
    }
import-password = Outlook fragt bei dieser Datei nach einem Kennwort. Sie wurde ohne gelesen: Das Kennwort schützt darin nichts.
import-left-out = { $n } Einträge blieben weg: gelöschte Nachrichten oder was Programme für sich selbst ablegen.
import-more-refused = … und { $n } weitere, die nicht übernommen werden können.
selftest-done =
    { $n } von { $count } Dingen gehen, wie sie sollen. Der Bericht liegt in { $file }.
    Er enthält keine Namen, Adressen oder Inhalte. Sehen Sie ihn an und schicken Sie ihn denen, die Tandem machen.
selftest-left = Outlook hält noch fest, was in { $folder } liegt. Löschen Sie diesen Ordner, wenn Outlook geschlossen ist.
exported = { $n } Einträge wurden in { $file } geschrieben.
export-skipped = nicht lesbar und daher weggelassen: { $name }

## Der geführte Start

start-intro = Zwei Computer mit Beispieldaten, beide auf diesem hier. Ihre eigenen Daten werden nicht berührt.
start-server = «{ $server }» ist jetzt der Server: Er hat die Daten.
start-preview = «{ $client }» wurde eingeladen und hat das Kennwort bewiesen. Das würde die erste Synchronisation tun:
start-same = Sie ist gelaufen. Beide Computer haben jetzt dasselbe:
start-change = Eine Änderung auf «{ $computer }»: { $what }
start-arrived = { "  " }→ «{ $computer }» hat sie nach { $seconds } s: { $line }
start-both = «{ $what }» wird auf beiden zugleich geändert, an verschiedenen Stellen:
start-done = Änderungen gehen in beide Richtungen, und zwei Änderungen an einem Kontakt werden ein Kontakt.
start-kept = Die beiden Computer bleiben in { $place }.
start-set-up-already = Dieser Computer ist schon eingerichtet. Wie es steht: { $program } status
start-own-question = Jetzt einen Server mit Ihren eigenen Daten einrichten? [j/N]
start-own-later = Einen Server mit Ihren eigenen Daten einrichten: { $program } init --server --name NAME --store files:ORDNER
start-place-question = In welchem Ordner sind die Daten, oder sollen sie sein? [{ $usual }]
start-name-question = Wie soll dieser Server heißen? [{ $usual }]
start-how-to-join =
    So kommt ein anderer Computer hinzu:
    { "  " }1. hier, in einem anderen Terminal: { $program } invite --out buero.tandem
    { "  " }2. die Datei hinüberbringen und das Kennwort auf anderem Weg weitergeben
    { "  " }3. dort: tandem join buero.tandem --store files:~/Tandem
start-serve-question = Den Server jetzt starten? [j/N]
start-serve-later = Den Server starten: { $program } serve
