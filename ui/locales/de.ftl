# Was das Fenster sagt. Aufbau und Regeln stehen in en.ftl; Anrede: Sie.

## Überall

page-step = { $title } (Schritt { $step } von { $steps })
next = Weiter
back = Zurück
finish = Fertig
cancel = Abbrechen
close = Schließen
save = Speichern
quit = Tandem beenden
undo = Rückgängig
details = Einzelheiten
try-again = Noch einmal versuchen
look-again = Noch einmal suchen
loading = Wird geladen …
opening = Tandem wird geöffnet …
copied = Kopiert.
saved = Gespeichert.
help = Hilfe
language = Sprache
just-now = gerade eben
today = heute
never = nie
total = Zusammen
status = Zustand
pages = Seiten
show-more = Mehr anzeigen
show-in-folder = Im Ordner zeigen
open-folder = Ordner öffnen
and-more = { $n ->
        [one] und ein weiterer
       *[other] und { $n } weitere
    }
items = { $n ->
        [one] 1 Eintrag
       *[other] { $n } Einträge
    }
n-of-m = { $n } von { $m }
n-days = { $n ->
        [one] 1 Tag
       *[other] { $n } Tage
    }
time-left = noch etwa { $time }
message-todo = { $action }. ({ $code })
message-more = Mehr dazu
unexpected = Etwas Unerwartetes ist passiert.
unexpected-text = Tandem hat diesen Schritt sicherheitshalber angehalten. Was vorher fertig war, bleibt erhalten.
unexpected-action = Noch einmal versuchen; wenn es bleibt, einen Bericht senden

kind-mail = E-Mail
kind-contacts = Kontakte
kind-calendar = Kalender
kind-tasks = Aufgaben
kind-notes = Notizen

platform-linux = Linux
platform-macos = macOS
platform-windows = Windows

word-upToDate = Alles aktuell
word-synchronizing = Synchronisiert
word-paused = Pausiert
word-waiting = Wartet auf { $server }
word-offline = Offline
word-needsDecision = Ihre Entscheidung ist nötig
word-problem = Problem

path-router = Router
path-internet = Internet
path-others = andere Computer
path-open = offen
path-broken = unterbrochen
path-unknown = nicht bekannt

## Erster Start

first-title = E-Mail, Kontakte und Kalender auf allen Ihren Computern gleich
first-title-outlook = Outlook auf allen Ihren Computern gleich
first-lead = Ihre Daten gehen direkt von Computer zu Computer. Nichts davon liegt bei uns oder in einer Cloud.
first-question = Was ist dieser Computer?
first-server = Dieser Computer hat die Daten (Server)
first-server-hint = Wählen Sie das nur auf einem Computer – meist auf dem, der am längsten an ist.
first-client = Mit einem Server verbinden (Client)
first-client-hint = Wählen Sie das auf jedem anderen Computer.
first-server-found = «{ $server }» in Ihrem Netzwerk ist bereits ein Server.
first-connect = Damit verbinden
first-looking = Auf diesem Computer wird nach Mailprogrammen gesucht …
first-nothing = Wir haben hier keine Daten von Outlook, Thunderbird, Evolution oder Apple gefunden. Sie können trotzdem weitermachen und selbst einen Ordner wählen.
first-unsure = Nicht sicher? Welcher sollte der Server sein?
first-unsure-1 = Der Computer, der am längsten eingeschaltet ist.
first-unsure-2 = Meist der Schreibtisch-PC, nicht der Laptop.
first-unsure-3 = Sie können später auf einen anderen umziehen.
first-invitation = Haben Sie eine Einladung? Ziehen Sie sie in dieses Fenster, oder
open-invitation = Einladung öffnen …
first-samples = Möchten Sie sich nur umsehen?
first-samples-open = Mit Beispieldaten ausprobieren
drop-invitation = Einladung hier ablegen, um sich zu verbinden
drop-other = Das ist keine Tandem-Einladung: { $file }
arrived = Einladung zu «{ $server }»
arrived-nothing = Darin steckt keine Einladung
arrived-connected = Sie sind schon mit «{ $server }» verbunden.
arrived-busy = Dieser Computer ist bereits eingerichtet. Um ihn mit einem anderen Server zu verbinden, trennen Sie zuerst den jetzigen: Einstellungen → Erweitert.
arrived-replace = Diese Einladung verwenden und mit «{ $server }» verbinden? Was Sie hier eingegeben haben, bleibt dann liegen.
arrived-more = { $n ->
        [one] Eine weitere Datei kam mit und blieb unberührt.
       *[other] { $n } weitere Dateien kamen mit und blieben unberührt.
    }
arrived-keep = Hier bleiben
arrived-use = Einladung verwenden

## Server: Daten

server-data-title = Wo liegen die Daten auf diesem Computer?
server-data-looking = Auf diesem Computer wird nach Mailprogrammen gesucht …
server-data-none = Von selbst wurde nichts gefunden. Wählen Sie den Ordner mit Ihren E-Mails, Kontakten oder Kalendern, oder einen neuen.
several-places = Liegen sie an mehreren Orten?
several-places-text = Tandem kann mehrere zusammen nehmen: E-Mail in einem Ordner und das übrige in Evolution, oder ein Archiv von Outlook neben dem Postfach. Ein Ordner, der von anderswo kommt, kommt in den ersten, der seine Art aufnimmt.
several-places-use = Diese zusammen verwenden
server-data-imap = Was ist mit E-Mail bei IMAP oder Exchange?
server-data-imap-text = E-Mail, die auf einem Mailserver liegt, muss meist nicht synchronisiert werden: Jeder Computer holt sie von dort. Kontakte, Kalender, Aufgaben und Notizen schon.
old-data = Meine alte Datendatei übernehmen
old-data-text = Eine .pst-Datei von Outlook oder .mbox-, .msg-, .eml-, .vcf- und .ics-Dateien. Zuerst sehen Sie, was hinzukäme. Die Datei bleibt, wie sie ist, und nichts kommt doppelt.
old-data-choose = Datei wählen …
old-data-import = Übernehmen
old-data-preview = { $present ->
        [0] «{ $name }» enthält { $n } Einträge, die hinzukämen.
       *[other] «{ $name }» enthält { $n } Einträge, die hinzukämen; { $present } sind schon da.
    }
old-data-done = { $present ->
        [0] { $n } Einträge aus «{ $name }» sind übernommen.
       *[other] { $n } Einträge aus «{ $name }» sind übernommen; { $present } waren schon da.
    }
old-data-password = Outlook fragt bei dieser Datei nach einem Kennwort. Es schützt darin nichts und wird hier nicht gebraucht.
old-data-left-out = { $n } Einträge bleiben weg: gelöschte Nachrichten oder was Programme für sich selbst ablegen.
old-data-refused = … und { $n } weitere, die nicht übernommen werden können.
source-folder = Ordner { $name }
source-new = neu, noch leer
source-fresh = { $name } (neu)
choose-folder = Ordner wählen …
import = Importieren

## Server: Ordner

server-folders-title = Welche Ordner sollen überall gleich sein?
server-folders-lead = Sie können das jederzeit ändern.
server-folders-which = Welche Ordner
server-folders-none = Es gibt noch keine Ordner. Später angelegte werden synchronisiert.
server-folders-sum = { $folders ->
        [one] 1 Ordner
       *[other] { $folders } Ordner
    }, { $n ->
        [one] 1 Eintrag
       *[other] { $n } Einträge
    }, { $size }
preset-everything = Alles
preset-exceptMail = Alles außer E-Mail
preset-named = Ich wähle aus
reading-folders = Ordner werden gelesen …
filter-folders = Ordner filtern
folder-empty = (leer)

## Server: Internet

server-internet-title = Soll es auch unterwegs funktionieren?
internet-switch = Über das Internet synchronisieren
server-internet-off = Nur in meinem eigenen Netzwerk
server-internet-off-hint = Zu Hause oder im Büro. Das Internet lässt sich später einschalten.
server-internet-on = Auch über das Internet
server-internet-on-hint = Ihre Computer können sich dann von überall verbinden. Nur Computer mit Ihrem Kennwort kommen hinein; alles ist verschlüsselt. Dieser Computer muss an sein.
server-internet-later = Was immer die Prüfung sagt: Im eigenen Netz geht alles, und Sie können später danach sehen. Ein Computer, der sich schlafen legt, ist nicht erreichbar.
energy-settings = Energieeinstellungen öffnen

## Server: Kennwort

server-password-title = Wählen Sie ein Kennwort für diesen Server
server-password-lead = Andere Computer müssen es einmal eingeben. Ohne das Kennwort kann niemand Ihre Daten lesen.
password = Kennwort
password-show = Anzeigen
password-repeat = Kennwort wiederholen
password-differs = Die beiden Kennwörter unterscheiden sich.
password-suggest = Ein anderes vorschlagen
password-enough = Gut genug für diesen Server.
password-remember = Im Kennwortspeicher dieses Computers merken
no-password-store = Dieser Computer hat keinen Kennwortspeicher. Tandem bewahrt seinen Schlüssel in einer geschützten Datei auf; notieren Sie sich das Kennwort.
password-why = Warum ein starkes?
password-why-internet = Ist das Internet eingeschaltet, kann jeder Kennwörter ausprobieren, der die Server-ID bekommt.
password-why-network = Jeder in Ihrem Netzwerk kann Kennwörter ausprobieren, auch Gäste in Ihrem WLAN.
server-name = Name des Servers
server-name-hint = Diesen Namen zeigen die anderen Computer.
creating-server = Wird eingerichtet …

## Server: Freigeben

server-share-title = Lassen Sie Ihre anderen Computer herein
share-network = Im selben Netzwerk
share-network-text = Starten Sie Tandem auf dem anderen Computer, wählen Sie „Mit einem Server verbinden“ und dann «{ $server }».
share-elsewhere = Von anderswo
created-note = Tandem bewahrt seinen Schlüssel in einer geschützten Datei auf.
save-invitation = Einladungsdatei speichern …
write-mail = E-Mail schreiben …
copy-letter = Text kopieren
make-link = Link erstellen
copy-link = Link kopieren
invitation-hint = Die Einladung enthält kein Kennwort und wird nirgends hinterlegt. Senden Sie sie, oder nehmen Sie einen USB-Stick.
invitation-ticket = Mit einmaligem Ticket
invitation-ticket-hint = Für einen Computer, 7 Tage lang: Er kommt auch hinein, während das Hinzufügen über das Internet geschlossen ist.
publish-open = Für das Internet veröffentlichen …
publish-hint = Sie bekommen eine kurze Server-ID, die Sie am Telefon durchgeben können.
publish-title = Server für das Internet veröffentlichen
publish-comment = Kommentar (freiwillig)
publish-comment-hint = Andere sehen ihn, wenn sie die ID eingeben. { $n } von { $max } Zeichen.
publish-left = { $n ->
        [0] Keine weiteren Zeichen
        [one] Noch ein Zeichen
       *[other] Noch { $n } Zeichen
    }
publish-stored = Was gespeichert wird
publish-stored-name = der Name des Servers
publish-stored-id = eine zufällige Server-ID
publish-stored-comment = Ihr Kommentar
publish-stored-key = der öffentliche Schlüssel
publish-stored-service = eine zufällige Dienst-ID
publish-made = entsteht jetzt
publish-not-stored = Nicht gespeichert werden: Ihre E-Mail-Adresse, E-Mails, Kontakte, Kalender und das Kennwort. Sie können den Eintrag jederzeit löschen.
publish-where = Wo
publish-where-dht = Im offenen Netz für Adressen
publish-where-dht-hint = Dafür braucht es keinen Server. Nur wer die ID hat, findet den Eintrag.
publish-where-directory = In einem eigenen Verzeichnis (freiwillig)
publish-where-directory-hint = Sein Hostname. Dort wird der Eintrag gelöscht, sobald Sie ihn zurückziehen.
publish-instead = Stattdessen Einladungsdatei speichern
publish = Veröffentlichen
publishing = Wird veröffentlicht …
published = Veröffentlicht.
published-title = Ihr Server ist veröffentlicht
published-text = Geben Sie diese Server-ID und das Kennwort denen, die sich verbinden sollen. Senden Sie das Kennwort auf einem anderen Weg als die ID, zum Beispiel am Telefon.
published-id = Server-ID { $id }
published-since = Veröffentlicht am { $when }
published-renewed = zuletzt erneuert { $ago }
copy-id = ID kopieren
spell-out = Buchstabieren
revoke-open = Veröffentlichung zurückziehen …
revoke-title = Die Veröffentlichung von «{ $server }» zurückziehen?
revoke-text = Die Server-ID { $id } gilt dann nicht mehr, und der Eintrag wird gelöscht. Schon verbundene Computer bleiben verbunden.
revoke-keep = Behalten
revoke = Veröffentlichung zurückziehen
revoked = Zurückgezogen.
revoking = Wird zurückgezogen, sobald Sie online sind. Bis dahin gilt die ID noch.
letter-subject = Verbinden Sie Ihren Computer mit «{ $server }»
letter-id =
    Guten Tag,

    mit Tandem bleiben unsere Daten auf allen unseren Computern gleich.

    1. Installieren Sie Tandem.
    2. Starten Sie es, wählen Sie „Mit einem Server verbinden“, dann „Mit einem Server im Internet verbinden“.
    3. Geben Sie diese Server-ID ein: { $id }

    Das Kennwort sage ich Ihnen getrennt, zum Beispiel am Telefon. Bitte senden Sie es nicht per E-Mail.
    Tandem zeigt beim Verbinden einen Fingerabdruck. Er muss lauten: { $fingerprint }
letter-link =
    Guten Tag,

    mit Tandem bleiben unsere Daten auf allen unseren Computern gleich.

    1. Installieren Sie Tandem.
    2. Öffnen Sie diesen Link, oder kopieren Sie ihn in das Feld für die Server-ID: { $link }

    Das Kennwort sage ich Ihnen getrennt, zum Beispiel am Telefon. Bitte senden Sie es nicht per E-Mail.
    Tandem zeigt beim Verbinden einen Fingerabdruck. Er muss lauten: { $fingerprint }

spell-A = Anton
spell-B = Berta
spell-C = Cäsar
spell-D = Dora
spell-E = Emil
spell-F = Friedrich
spell-G = Gustav
spell-H = Heinrich
spell-J = Julius
spell-K = Kaufmann
spell-M = Martha
spell-N = Nordpol
spell-P = Paula
spell-Q = Quelle
spell-R = Richard
spell-S = Siegfried
spell-T = Theodor
spell-V = Viktor
spell-W = Wilhelm
spell-X = Xanthippe
spell-Y = Ypsilon
spell-Z = Zeppelin

## Client: Server

client-server-title = Welcher Server?
client-network = Server in Ihrem Netzwerk
client-servers = Server
client-looking = Wird gesucht … (bis zu 5 Sekunden)
client-none = Kein Server in diesem Netzwerk gefunden.
client-none-why = Der andere Computer ist vielleicht aus, Tandem läuft dort nicht, oder das WLAN trennt die Geräte voneinander.
client-by-internet = Mit einem Server im Internet verbinden …
client-by-internet-title = Mit einem Server im Internet verbinden
client-drop = oder in dieses Fenster ziehen
client-internet-hint = Aus: Kein Paket verlässt Ihr eigenes Netzwerk.
client-directory = Ein eigenes Verzeichnis
client-directory-hint = Nur, wenn Sie es zusammen mit der ID bekommen haben.
client-taken-out = Die Einladung wurde aus dem eingefügten Text übernommen.
choose-invitation = Einladung öffnen
server-in-network = in Ihrem Netzwerk
known-by-network = in Ihrem Netzwerk
known-by-invitation = durch Einladung
known-by-serverId = durch Server-ID
server-by-internet = Internet
server-seen = Zuletzt gehört: { $ago }
server-ticket = Einmaliges Ticket bis { $when }
server-connected-already = Sie sind schon mit «{ $server }» verbunden.
server-id = Server-ID
server-id-hint = Die ID hat 16 Buchstaben und Ziffern. Großschreibung, Leerzeichen und Striche spielen keine Rolle. Sie können auch einen Link oder eine ganze E-Mail einfügen.
find = Suchen
finding = Wird gesucht …

## Client: Kennwort

client-password-title = Geben Sie das Kennwort von «{ $server }» ein
client-password-where = Sie finden es auf dem Server unter Einstellungen → Kennwort.
client-not-this = Nicht dieser
connect = Verbinden
connecting-finding = «{ $server }» wird gesucht …
connecting-calling = Wird angerufen; es wird geprüft, ob es der richtige ist …
connecting-listing = Verbunden. Die Ordner werden gelesen …
fingerprint = Fingerabdruck
fingerprint-compare = Fingerabdruck vergleichen
fingerprint-text = Vergleichen Sie diese Zahl mit der auf «{ $server }»: Geräte → Fingerabdruck. Sie müssen gleich sein.
fingerprint-differs = Sie unterscheiden sich
fingerprint-stopped = Angehalten. Es wurde nichts gesendet oder gespeichert.
fingerprint-stopped-text = Bitten Sie den Besitzer um eine neue Einladung, auf einem Weg, dem Sie vertrauen.
fingerprint-own = Andere Computer zeigen diese Zahl beim Verbinden. Sie muss dort dieselbe sein.
fingerprint-of-server = «{ $server }» zeigt dieselbe Zahl. Wenn nicht, trennen Sie diese Verbindung.

## Client: Ordner

client-folders-title = Was soll gleich sein?
client-folders-loading = Die Ordner des Servers werden gelesen …
client-folders-none = Der Server hat noch keine Ordner für Sie. Fragen Sie den Besitzer.
client-place = Wo die Daten auf diesem Computer liegen
direction-of = Richtung von { $folder }
direction-both = ⇄ in beide Richtungen
direction-to-here = ← nur zu diesem Computer
direction-to-server = → nur zum Server
direction-off = gar nicht
here-of = { $folder } auf diesem Computer
here-same = der gleichnamige Ordner
here-new = + neuer Ordner „{ $name }“
mode = Wenn beide Seiten schon Daten haben
mode-combine = Beides zusammenführen (empfohlen)
mode-combine-hint = Gleiches wird einander zugeordnet, Fehlendes auf beiden Seiten ergänzt. Nichts wird gelöscht.
mode-takeServer = Daten des Servers übernehmen
mode-takeServer-hint = Dieser Computer wird eine Kopie; was es nur hier gibt, kommt in die Sicherung.
mode-takeClient = Daten dieses Computers übernehmen
mode-takeClient-hint = Der Server wird eine Kopie; sein Besitzer wird vorher gefragt.
rule = Wenn beide Seiten denselben Eintrag geändert haben
rule-ask = Zeigen Sie ihn mir
rule-server = Die Fassung des Servers gilt, die andere kommt in die Sicherung
rule-client = Die Fassung des anderen Computers gilt, die des Servers kommt in die Sicherung
comparing = Wird verglichen …

## Client: Vorschau

preview-title = Prüfen, dann beginnen
preview-lead = Bis jetzt wurde nichts geändert.
preview-addedHere = hier neu
preview-addedThere = neu auf «{ $server }»
preview-same = gleich
preview-differ = verschieden
preview-notSure = unsicher
preview-removedHere = hier entfernt
preview-removedThere = entfernt auf «{ $server }»
preview-part-same = gleich
preview-part-here = hier neu
preview-part-there = dort neu
preview-part-open = anzusehen
preview-names = Einträge, die verschieden oder unsicher sind
preview-names-text = Sie halten den Beginn nicht auf: Beide Fassungen bleiben, bis Sie entscheiden.
preview-removed = { $n ->
        [one] Ein Eintrag wird entfernt. Er bleibt in der Sicherung und kann zurückgeholt werden.
       *[other] { $n } Einträge werden entfernt. Sie bleiben in der Sicherung und können zurückgeholt werden.
    }
preview-nothing = Beide Seiten sind schon gleich.
preview-size = { $here } kommen hierher, { $there } werden gesendet.
preview-save = Als Bericht speichern …
preview-start = Synchronisierung beginnen
started-title = Die erste Synchronisierung läuft
started-done = Fertig
started-items = Erste Synchronisierung
started-leave = Sie können dieses Fenster verlassen; Tandem macht weiter, auch nach einer Unterbrechung.
started-sum = { $here } hier ergänzt, { $there } auf «{ $server }» ergänzt.
started-conflicts = { $n } warten auf Sie.
take-back-open = Alles rückgängig machen …
take-back-title = Die erste Synchronisierung zurücknehmen?
take-back-text = Dieser Computer bekommt zurück, was er vorher hatte, und wird von «{ $server }» getrennt. Was Sie seitdem selbst geändert haben, bleibt, wie es ist.
take-back-there = Was von diesem Computer kam, bleibt auf «{ $server }». Wer dort sitzt, kann es im Verlauf rückgängig machen.
take-back-keep = Behalten
take-back-yes = Rückgängig machen und trennen
take-back-going = Wird rückgängig gemacht …
take-back-also = Diesem Computer auch zurückgeben, was er vor der ersten Synchronisierung hatte
taken-back = { $n ->
        [0] Es war nichts rückgängig zu machen.
        [one] Rückgängig gemacht – ein Eintrag ist, wie er vorher war.
       *[other] Rückgängig gemacht – { $n } Einträge sind, wie sie vorher waren.
    }
open-tandem = Tandem öffnen

## Das Hauptfenster

page-overview = Übersicht
page-folders = Ordner
page-conflicts = Konflikte
page-activity = Verlauf
page-devices = Geräte
page-settings = Einstellungen
page-check = Warum klappt die Verbindung nicht?
page-log = Protokoll
page-about = Über Tandem
waiting-for-you = warten auf Sie
last-change = Letzte Änderung { $ago }
pause = Pause
pause-half = 30 Minuten
pause-tomorrow = bis morgen
pause-open = bis ich fortsetze
paused-until = Pausiert bis { $time } – Änderungen werden gesammelt und später gesendet.
paused-open = Änderungen werden gesammelt und gesendet, wenn Sie fortsetzen.
continue = Fortsetzen
items-on-their-way = Einträge unterwegs
why-no-connection = Warum klappt die Verbindung nicht?
switch-on = Einschalten
way-local = direkt, in Ihrem Netzwerk
way-direct = direkt, über das Internet
way-mapped = direkt, über das Internet
way-punched = direkt, über das Internet
way-relayed = über das Internet, weitergereicht von einem Relay, das nicht mitlesen kann
updated = Tandem wurde von { $before } auf { $version } aktualisiert.
overview-calm = Auf Ihren Computern ist alles gleich.
overview-going = Alles in Ordnung. Änderungen werden von selbst übernommen.
overview-reading = Ihre Daten werden zum ersten Mal gelesen …
overview-recent = Zuletzt geschehen
overview-day = Letzte 24 Stunden
overview-no-tray = Tandem läuft im Hintergrund; öffnen Sie es wieder über das Startmenü.
traffic-items = Einträge
traffic-items-text = { $n }; am meisten ab { $hour }
traffic-bytes = Daten
stopped-title = Tandem kann gerade nicht arbeiten
stopped-lead = Ihre E-Mails, Kontakte und Kalender sind unberührt.
open-settings-folder = Einstellungsordner öffnen
open-logs = Protokollordner öffnen
open-data = Datenordner öffnen
close-title = Fenster schließen?
quit-title = Tandem beenden?
close-tray = Tandem synchronisiert weiter. Sie finden es im Infobereich.
close-no-tray = Tandem kann im Hintergrund weiterarbeiten. Sie öffnen es wieder über das Startmenü.
close-connected = { $n ->
        [one] Ein Computer synchronisiert mit diesem. Er wartet, bis Sie Tandem wieder starten.
       *[other] { $n } Computer synchronisieren mit diesem. Sie warten, bis Sie Tandem wieder starten.
    }
close-remember = Beim nächsten Mal genauso
close-hide = Weiterlaufen lassen

## Verlauf

activity-lead = Was geändert wurde, lässt sich { $days } Tage lang rückgängig machen.
activity-none = Bis jetzt ist nichts geschehen.
activity-all = Ganzer Verlauf
activity-filter = Was angezeigt wird
activity-search = Im geöffneten Eintrag suchen
activity-no-match = Nichts passt dazu.
filter-all = Alles
filter-added = Neu
filter-changed = Geändert
filter-deleted = Gelöscht
filter-conflicts = Konflikte
run-added = { $n } neu
run-changed = { $n } geändert
run-deleted = { $n } gelöscht
run-folders = { $n ->
        [one] ein Ordner
       *[other] { $n } Ordner
    }
run-conflicts = { $n ->
        [one] 1 Konflikt
       *[other] { $n } Konflikte
    }
run-nothing = Nichts geändert
run-going = Läuft
action-added = neu
action-changed = geändert
action-moved = verschoben
action-flagged = markiert
action-deleted = gelöscht
action-conflict = Konflikt
action-kept = behalten
action-folderAdded = Ordner neu
action-folderRenamed = Ordner umbenannt
action-folderMoved = Ordner verschoben
action-folderDeleted = Ordner gelöscht
entry-here = kam zu diesem Computer
entry-there = von diesem Computer gesendet
entry-undone = rückgängig gemacht
undo-run = Alles rückgängig
undo-item = { $title } rückgängig machen
undone = { $n ->
        [0] Es war nichts rückgängig zu machen.
        [one] Rückgängig gemacht – ein Eintrag ist wieder da.
       *[other] Rückgängig gemacht – { $n } Einträge sind wieder da.
    }
undo-left = { $n ->
        [one] Ein Eintrag wurde seitdem wieder geändert und blieb, wie er ist:
       *[other] { $n } Einträge wurden seitdem wieder geändert und blieben, wie sie sind:
    }
copy-table = Als Tabelle kopieren
save-table = Alles als Tabelle speichern …
save-json = Alles für Programme speichern (JSON) …

## Ordner und angehaltene Löschungen

folders-none = Noch keine Ordner. Sie erscheinen, sobald die erste Synchronisierung begonnen hat.
folders-size = Welche Ordner groß sind
sync-now = Jetzt synchronisieren
folder-off = wird nicht synchronisiert
folder-same = auf beiden Seiten gleich
folder-going = { $n } von { $m } gleich
folder-progress = { $folder }: unterwegs
held-atServer = { $n } von { $all } Einträgen fehlen in «{ $folder }» auf diesem Computer und würden auf dem Server gelöscht. War das Absicht?
held-here = { $n } von { $all } Einträgen in «{ $folder }» wurden auf einem anderen Computer gelöscht und würden hier gelöscht. War das Absicht?
held-emptied = «{ $folder }» ist plötzlich leer: Alle { $all } Einträge sind auf einmal weg. War das Absicht?
held-deletedElsewhere = { $n } von { $all } Einträgen in «{ $folder }» wurden anderswo gelöscht, bevor dieser Computer eingerichtet wurde, und sind hier noch da. Was soll mit ihnen geschehen?
held-reverted = { $n } von { $all } Einträgen in «{ $folder }» sehen nach einer zurückgespielten Sicherung aus. War das Absicht?
held-list = Liste ansehen
held-restore-deleted = Behalten
held-allow-deleted = Überall löschen …
held-restore-reverted = Die neueren behalten
held-allow-reverted = Überall den früheren Stand nehmen …
held-sure-deleted = { $n ->
        [one] Einen Eintrag aus «{ $folder }» überall löschen?
       *[other] { $n } Einträge aus «{ $folder }» überall löschen?
    }
held-sure-reverted = { $n ->
        [one] Überall den früheren Stand eines Eintrags nehmen?
       *[other] Überall den früheren Stand von { $n } Einträgen nehmen?
    }
held-sure-text = Sie bleiben { $days } Tage in der Sicherung; so lange können Sie das rückgängig machen.
held-sure-deleted-yes = { $n ->
        [one] Einen Eintrag löschen
       *[other] { $n } Einträge löschen
    }
held-sure-reverted-yes = Den früheren Stand nehmen
held-done-restore = Sie bleiben erhalten.
held-done-allow = Erledigt. Unter Verlauf können Sie es rückgängig machen.

## Konflikte

conflicts-lead = Wurde derselbe Eintrag auf zwei Computern geändert, entscheiden Sie hier. Bis dahin behalten alle Computer die Fassung des Servers, und die andere wird aufgehoben.
conflicts-none = Keine Konflikte. Wird derselbe Eintrag auf zwei Computern geändert, entscheiden Sie hier.
conflicts-waiting = { $n ->
        [one] Ein Konflikt wartet auf Ihre Entscheidung.
       *[other] { $n } Konflikte warten auf Ihre Entscheidung.
    }
conflicts-waiting-text = Derselbe Eintrag wurde auf zwei Computern geändert. Nichts geht verloren: Beide Fassungen sind aufgehoben.
conflicts-open = Ansehen
conflict-fields = verschieden: { $fields }
conflict-decided = «{ $title }» ist entschieden.
conflicts-decided = Alle Konflikte sind entschieden.
conflicts-all = { $n ->
        [one] Einen auf einmal entscheiden
       *[other] Alle { $n } auf einmal entscheiden
    }
conflicts-all-text = Unter Verlauf können Sie es rückgängig machen.
compare = Vergleichen
compare-close = Schließen
compare-of = Beide Fassungen von { $title } vergleichen
compare-close-of = Vergleich von { $title } schließen
compare-all = Alle Felder anzeigen
compare-elsewhere = Die andere Fassung liegt auf dem Server. Dort lässt sie sich vergleichen; entscheiden können Sie hier.
field = Feld
side-server = Auf dem Server
side-other = Auf dem anderen Computer
keep-server = Die vom Server behalten
keep-other = Die andere behalten
keep-both = Beide behalten
keep-merge = Zusammenführen
decide-later = Später entscheiden

## Geräte

this-is-server = Dieser Computer ist der Server.
this-is-client = Dieser Computer ist mit «{ $server }» verbunden.
invite = Einen weiteren Computer einladen
adding = Ein Computer lässt sich nicht hinzufügen?
adding-text = Nach vielen falschen Kennwörtern nimmt Tandem eine Weile keine neuen Computer auf. Öffnen Sie es hier wieder, oder geben Sie für die nächsten zehn Minuten weitere Versuche.
add-window = Zehn Minuten lang mehr Versuche geben
open-door = Hinzufügen wieder erlauben
add-window-done = In den nächsten zehn Minuten gibt es mehr Versuche.
open-door-done = Computer können wieder hinzugefügt werden.
other-computers = Andere Computer
devices-none = Noch ist kein anderer Computer verbunden.
device-connected = jetzt verbunden
device-never = nie gesehen
device-seen = zuletzt gesehen: { $ago }
device-removed = Zugang entzogen
device-allow = Wieder hereinlassen
device-allow-name = { $name } wieder hereinlassen
device-rename = Umbenennen …
device-rename-name = { $name } umbenennen
device-rename-title = Wie soll «{ $name }» heißen?
device-new-name = Neuer Name
device-rename-text = Nur an diesem Computer zu sehen.
device-rename-yes = Umbenennen
device-renamed = Er heißt jetzt { $name }.
device-remove = Zugang entziehen …
device-remove-name = { $name } den Zugang entziehen
device-remove-title = «{ $name }» den Zugang entziehen?
device-remove-text = «{ $name }» kann sich nicht mehr verbinden. Daten, die schon dort sind, bleiben dort.
device-remove-yes = Zugang entziehen
device-done-remove-device = «{ $name }» kann sich nicht mehr verbinden.
device-done-allow-device = «{ $name }» darf sich wieder verbinden.
device-done-allow-take-over = «{ $name }» darf einmal die Daten des Servers ersetzen.
releases = Ordner …
releases-name = Ordner für { $name }
releases-text = Welche Ordner «{ $name }» haben darf. Ohne Auswahl sind es alle.
release = Erlauben
release-not = Vorenthalten
release-folder = { $folder } erlauben
release-not-folder = { $folder } vorenthalten
release-done = «{ $name }» darf { $folder } haben.
release-kept = «{ $name }» bekommt { $folder } nicht mehr.
take-over-allow = Übernahme erlauben
take-over-text = Dieser Computer darf dann einmal die Daten des Servers durch seine ersetzen.

## Einstellungen

settings-sections = Seiten der Einstellungen
settings-general = Allgemein
settings-notifications = Mitteilungen
settings-internet = Internet
settings-password = Kennwort
settings-conflicts = Konflikte
settings-backup = Sicherung
settings-privacy = Datenschutz
settings-advanced = Erweitert
needs-restart = Manches wirkt, wenn Tandem das nächste Mal startet.
restore-page = Diese Seite zurücksetzen
restored = Zurückgesetzt.
settings-name = Name dieses Computers
settings-name-hint = Diesen Namen zeigen die anderen Computer.
appearance = Aussehen
appearance-system = wie das System
appearance-light = hell
appearance-dark = dunkel
text-size = Schriftgröße
more-contrast = Mehr Kontrast
starts-with-computer = Mit dem Computer starten
starts-with-computer-hint = Ein Server sollte da sein, wann immer der Computer an ist.
close-behaviour = Wenn ich das Fenster schließe
close-ask-setting = nachfragen
close-hide-setting = weiterlaufen
close-quit-setting = Tandem beenden
notifications-text = Tandem meldet nur, was auf Sie wartet, und höchstens einmal in der Stunde.
tells-conflicts = Wenn ein Konflikt auf mich wartet
tells-held = Wenn Löschungen sicherheitshalber angehalten wurden
tells-silence = Wenn nicht synchronisiert wurde seit
after-days = { $n ->
        [one] 1 Tag
       *[other] { $n } Tagen
    }
internet-hint-server = Ihre Computer können sich von überall verbinden. Aus: nur in Ihrem eigenen Netzwerk.
internet-hint-client = Aus: Kein Paket verlässt Ihr eigenes Netzwerk.
peer-names = Diesen Server finden, wenn sich seine Adresse ändert (Peer-Namen)
peer-names-hint = Seine Adresse liegt verschlüsselt in einem offenen Netz, damit Ihre Computer ihn finden, wenn der Router eine neue bekommen hat.
check-again = Noch einmal prüfen
check-open-port = Port öffnen
port = Port
port-hint = Der UDP-Port, den andere Computer anrufen. 0: wird beim ersten Start gewählt.
port-wrong = Ein Port ist eine Zahl von 0 bis 65535.
settings-password-text = Andere Computer müssen ein neues Kennwort einmal eingeben.
password-look = Jetziges Kennwort anzeigen
password-hide = Verbergen
password-new = Neues Kennwort
password-change = Kennwort ändern
sign-out-all = Alle Computer müssen es neu eingeben
sign-out-all-hint = Wählen Sie das, wenn jemand das Kennwort kennt, der es nicht kennen sollte.
backup-text = Frühere Fassungen geänderter und gelöschter Einträge liegen hier, damit sich alles rückgängig machen lässt.
backup-days = Aufheben für
backup-size = Höchstens
backup-now = Zurzeit { $size }
backup-elsewhere = Woanders aufheben …
backup-elsewhere-hint = Zum Beispiel auf einem anderen Laufwerk. Es muss da sein, wann immer Tandem läuft. Tandem legt in dem Ordner, den Sie wählen, einen eigenen an.
backup-beside = Wieder bei Tandem aufheben
backup-empty = Leeren …
backup-empty-title = Alle früheren Fassungen löschen?
backup-empty-text = Was bis jetzt geändert oder gelöscht wurde, lässt sich dann nicht mehr rückgängig machen. Ihre jetzigen Daten bleiben.
backup-empty-yes = Frühere Fassungen löschen
backup-emptied = Die Sicherung ist leer.
privacy-1 = Tandem sendet nichts an seine Hersteller: keine Statistik, keine Absturzberichte, keine Suche nach Updates.
privacy-2 = Ihre E-Mails, Kontakte und Kalender gehen nur zu Ihren eigenen Computern, durchgehend verschlüsselt.
privacy-3 = Wenn Sie eine Server-ID veröffentlichen, speichert das offene Adressnetz ihren Namen, Ihren Kommentar und ihren öffentlichen Schlüssel, bis Sie sie zurückziehen.
settings-file = Einstellungen als Datei
settings-file-text = Für einen anderen Computer oder ein anderes Profil. Kein Kennwort, kein Schlüssel, kein Name eines Servers ist darin.
settings-export = Einstellungen exportieren …
settings-import = Einstellungen importieren …
leave-server = Nicht mehr Server sein
leave-client = Trennen
leave-text = Ihre Daten bleiben, wo sie sind.
leave-server-open = Nicht mehr Server sein …
leave-client-open = Trennen …
leave-server-title = Nicht mehr Server sein?
leave-client-title = Von «{ $server }» trennen?
leave-server-sure = { $n ->
        [0] Tandem beginnt auf diesem Computer von vorn. Ihre Daten bleiben, wo sie sind.
        [one] Ein Computer ist verbunden und wird nicht mehr synchronisiert. Ihre Daten bleiben, wo sie sind, hier und dort.
       *[other] { $n } Computer sind verbunden und werden nicht mehr synchronisiert. Ihre Daten bleiben, wo sie sind, hier und dort.
    }
leave-client-sure = Dieser Computer wird nicht mehr synchronisiert. Ihre Daten bleiben, wo sie sind. Um sich wieder zu verbinden, brauchen Sie das Kennwort.
leave-server-yes = Nicht mehr Server sein
leave-client-yes = Trennen
remove-open = Tandem von diesem Computer entfernen …
remove-title = Tandem von diesem Computer entfernen?
remove-sure = Tandem löscht seinen Schlüssel, sein Kennwort, seine Einstellungen und seine früheren Fassungen. Ihre E-Mails, Kontakte und Kalender bleiben.
remove-yes = Tandem entfernen
removed-title = Entfernt
removed-data = Ihre Daten sind noch hier:

## Verbindungsprüfung und Bericht

check-title = Verbindung prüfen
check-fine = Alles in Ordnung.
checking = Wird geprüft …
check-network = Dieser Computer hat ein Netzwerk
check-internet = Das Internet ist erreichbar
check-own-internet-switch = „Über das Internet synchronisieren“ ist hier an oder nicht nötig
check-managed-network = Dieses Netz lässt Tandem durch
check-findable = Es gibt einen Weg, «{ $server }» zu finden
check-server-online = «{ $server }» antwortet
check-server-internet-switch = «{ $server }» nimmt Verbindungen über das Internet an
check-server-key = Es ist der richtige Server
check-version = Die Versionen passen
check-access = Dieser Computer darf sich verbinden
check-data-readable = Die Daten auf diesem Computer sind lesbar
check-gateway = Es gibt einen Router
check-mapping = Der Router öffnet den Weg
check-path = Ein Weg führt durch die Router
check-local-firewall = Die Firewall lässt Tandem durch
result-ok = in Ordnung
result-problem = hier hört es auf
result-cannotTell = lässt sich von hier nicht sagen
result-skipped = nicht geprüft
copy-instructions = Kopieren, was bei «{ $server }» zu tun ist
instructions =
    Bitte sehen Sie nach Tandem auf «{ $server }»:

    1. Ist der Computer an, und schläft er nicht?
    2. Öffnen Sie dort Tandem. Steht da „Pausiert“, drücken Sie „Fortsetzen“.
    3. Für den Weg von außen: Öffnen Sie Einstellungen → Internet. „Über das Internet synchronisieren“ und die Peer-Namen müssen an sein. Drücken Sie dann „Noch einmal prüfen“.
by-hand = Den Weg von Hand öffnen
by-hand-text = Öffnen Sie die Seite Ihres Routers in einem Browser (seine Adresse steht oft auf der Rückseite) und suchen Sie „Portfreigabe“, „Portweiterleitung“ oder „Virtueller Server“. Tragen Sie ein:
by-hand-rule = UDP, Port { $port }, an { $address }, Port { $port }
by-hand-copy = Kopieren
report-title = Bericht für alle, die Ihnen helfen
report-text = Namen, Adressen und IDs sind ersetzt. Sie sehen alles, bevor es gespeichert wird.
report-folders = Namen der Ordner aufnehmen
report-look = Bericht ansehen
report-save = Bericht speichern …
log-lead = Was Tandem getan hat. Ohne Betreffzeilen, Namen und Inhalte.
log-level = Anzeigen
log-none = Im Protokoll steht nichts.
level-debug = alles
level-info = Übliches
level-warn = Auffälliges
level-error = Ernstes

## Über Tandem und Hilfe

about-version = Version
about-system = System
about-licence = Lizenz
about-update = Wie man Tandem erneuert
about-third-party = Darin enthaltene Werke anderer
about-data = Ihre Daten
about-settings = Einstellungen
about-logs = Protokolle
copy-version = Versionsangaben kopieren
help-pages = Seiten der Hilfe
help-quick-start = Schnellstart
help-internet = Über das Internet
help-old-data = Alte Daten übernehmen
help-conflicts = Konflikte und Rückgängig
help-troubleshooting = Meldungen
help-faq = Fragen
help-install = Installieren, erneuern, entfernen
help-accessibility = Barrierefreiheit
help-security = Sicherheit
help-english = Diese Seite gibt es zurzeit nur auf Englisch.
keys = Tastenkürzel
key-ctrl = Strg
key-shift = Umschalt
keys-settings = Einstellungen
keys-refresh = Aktualisieren
keys-pause = Pausieren oder fortsetzen
keys-invitation = Einladung öffnen
keys-search = In Listen suchen
keys-steps = Zurück und Weiter
keys-help = Hilfe
keys-close = Dialog schließen
keys-list = Diese Liste

## Beispieldaten

samples-title = Zwei Computer in einem Fenster
samples-lead = Nur mit Beispieldaten: Probieren Sie, was Sie möchten. Am Ende wird alles davon gelöscht.
samples-starting = Die beiden Computer werden gestartet …
samples-same = Beide haben dasselbe.
samples-different = Sie sind noch nicht gleich.
samples-server = { $name } (Server)
samples-client = { $name } (Client)
samples-folder = Ordner
samples-item = Eintrag
samples-add = Hinzufügen
samples-change = Ändern
samples-delete = Löschen
samples-move = Verschieben
samples-try = Probieren Sie
samples-both = Denselben Termin auf beiden ändern
samples-cut = Verbindung unterbrechen
samples-restore = Verbindung wiederherstellen
samples-half = Einen halben Ordner löschen
samples-own = Mit meinen eigenen Daten verwenden
samples-happened = Was am Office PC geschehen ist
samples-publish = Gefunden mit einer Server-ID
samples-publish-text = Ein veröffentlichter Server wird mit 16 Zeichen gefunden. Hier wird er in einem Netz veröffentlicht, das diesen Computer nicht verlässt.
samples-publish-do = Office PC veröffentlichen
samples-published = Veröffentlicht. Die Server-ID ist
samples-revoked = Zurückgezogen. Die Server-ID war
samples-revoke = Veröffentlichung zurückziehen
samples-look-up = ID vom Laptop aus suchen
samples-found = Gefunden: «{ $name }». Mit dem Kennwort könnte sich der Laptop jetzt verbinden.

## Felder, wie die Formate sie nennen

field-summary = Titel
field-dtstart = Beginn
field-dtend = Ende
field-duration = Dauer
field-location = Ort
field-description = Notizen
field-rrule = Wiederholung
field-exdate = Außer am
field-categories = Kategorien
field-attendee = Eingeladen
field-organizer = Organisiert von
field-status = Status
field-class = Vertraulichkeit
field-transp = Angezeigt als
field-valarm = Erinnerung
field-due = Fällig
field-priority = Priorität
field-percent-complete = Erledigt (%)
field-completed = Abgeschlossen
field-url = Webseite
field-fn = Name
field-n = Name, in Teilen
field-nickname = Spitzname
field-org = Firma
field-title = Position
field-role = Funktion
field-tel = Telefon
field-email = E-Mail
field-adr = Adresse
field-bday = Geburtstag
field-anniversary = Jahrestag
field-note = Notizen
field-photo = Bild
field-subject = Betreff
field-from = Von
field-to = An
field-cc = Kopie an
field-date = Datum
field-flags = Markierungen
field-text = Text
field-body = Text
field-folder = Ordner

## Grenzen und Wege

no-limit = keine Grenze
a-second = { $size } in der Sekunde
bandwidth = Wie schnell über das Internet
bandwidth-text = Für Leitungen, die auch andere brauchen. Im eigenen Netzwerk gibt es keine Grenze.
upload-max = Höchstens senden
download-max = Höchstens empfangen
waits-on-metered = Auf getakteten Leitungen warten
waits-on-metered-hint = Am Hotspot eines Telefons zum Beispiel geht nichts über das Internet. Ihre Änderungen warten auf ein anderes Netz.
use-metered = Auch hier synchronisieren
relay = Relay (TURN)
relay-text = Für Computer, die keinen direkten Weg zu diesem Server finden. Was hindurchgeht, ist verschlüsselt; es kann nichts lesen.
relay-address = Adresse
relay-user = Benutzer
relay-password = Kennwort des Relays
relay-use = Dieses Relay benutzen
relay-none = Kein Relay benutzen
relay-asking = { $relay } wird gefragt.
relay-silent = { $relay } antwortet nicht.
relay-refused = { $relay } lehnt ab: Benutzer oder Kennwort stimmt nicht, oder es hat keinen Platz.
relay-ready = { $relay } ist bereit.
switchboards = Vermittler (Rendezvous)
switchboards-text = Sie vermitteln Computer an diesen Server, sodass die Router auf beiden Seiten den Anruf durchlassen. Ein Verzeichnis hat einen.
switchboard-reached = verbunden
switchboard-silent = nicht erreicht
switchboard-remove = { $address } entfernen
switchboard-add = Noch einer
switchboard-hint = Adresse, Port und Schlüssel, wie sein Betreiber sie nennt: Host:Port=Schlüssel.
add = Hinzufügen
remove = Entfernen
detailed-log = Ausführlich protokollieren
detailed-log-hint = Für eine Weile, wenn jemand, der hilft, darum bittet. Kennwörter und Inhalte stehen nie darin.
folder-paused = pausiert
folder-pause = Pause
folder-pause-name = Pause: { $folder }
folder-continue-name = Fortsetzen: { $folder }
folder-rests = «{ $folder }» ruht, bis Sie fortsetzen.
folder-continues = «{ $folder }» geht weiter.
folder-remove = Entfernen …
folder-remove-name = Entfernen: { $folder }
folder-remove-title = «{ $folder }» nicht mehr synchronisieren?
folder-remove-text = Was darin ist, bleibt hier und auf «{ $server }». Von da an ändert sich jede Seite für sich.
folder-remove-yes = Nicht mehr synchronisieren
folders-left = Nicht synchronisiert
folder-add = Synchronisieren
folder-add-name = { $folder } synchronisieren
device-away = nicht verbunden
star = In der Mitte { $server }. { $computers }
