# Was Tandem sagt, wenn etwas im Weg steht. Aufbau und Regeln stehen in en.ftl; Anrede: Sie.

## Einen Server im Netzwerk finden

L01 = Kein Server in diesem Netzwerk gefunden.
    .body = Der andere Computer ist vielleicht aus, Tandem läuft dort nicht, oder das WLAN trennt die Geräte voneinander (in Gastnetzen üblich).
    .action = Noch einmal suchen, oder Server-ID oder Einladung verwenden
L02 = { $n } Server in diesem Netzwerk heißen «{ $server }».
    .body = Der Name allein sagt nicht, welcher gemeint ist.
    .action = Die ID nehmen, die neben dem Namen steht
    .command = tandem servers
L03 = «{ $server }» ist nicht in diesem Netzwerk.
    .body = Andere Server sind da, oder er wurde gerade ausgeschaltet.
    .action = Den Namen mit der Liste vergleichen
    .command = tandem servers

## Server-IDs

I01 = Diese Server-ID enthält einen Tippfehler.
    .body = Das letzte Zeichen passt nicht zu den anderen. Vergleichen Sie noch einmal – die Buchstaben I, L, O und U kommen in keiner ID vor.
    .action = Die ID korrigieren
I02 = Diese Server-ID ist nicht (mehr) veröffentlicht.
    .body = Sie ist richtig geschrieben, aber niemand bietet sie zurzeit an. Bitten Sie den Besitzer, unter Geräte → Dieser Server nachzusehen, oder um eine Einladungsdatei.
    .action = Noch einmal eingeben, oder eine Einladungsdatei öffnen
I04 = Die Antwort passt nicht zur Server-ID.
    .body = Jemand hat sie vielleicht unterwegs verändert. Es wurde nichts gesendet.
    .action = Um eine Einladungsdatei bitten
I05 = Diese Server-ID ist nicht vollständig.
    .body = Eine ID hat 16 Buchstaben und Ziffern, diese hat { $found }. Großschreibung, Leerzeichen und Striche spielen keine Rolle.
    .action = Die ID ergänzen
I06 = Die Server-ID { $server_id } ließ sich nicht zurückziehen.
    .body = Wo sie veröffentlicht ist, ist gerade nicht zu erreichen. Wer sie eingibt, findet noch bis zu { $left } den Namen dieses Servers und kommt nirgends hinein: Sein Schlüssel und sein Kennwort sind weg.
    .action = Nichts zu tun: Der Eintrag läuft von selbst ab

## Einladungen

V01 = Diese Einladung ist nicht lesbar.
    .body = Die Datei ist unvollständig oder wurde unterwegs verändert. Lassen Sie sie sich noch einmal schicken; als ZIP-Datei kommt sie oft besser an.
    .action = Eine andere Datei wählen
V02 = Diese Einladung braucht eine neuere Version von Tandem.
    .body = Sie haben Version { $have }; diese kennt keine Einladungen im Format { $need }.
    .action = Tandem aktualisieren
V03 = Das Ticket in dieser Einladung ist abgelaufen.
    .body = Es galt bis { $expired }. Mit dem Kennwort können Sie sich weiterhin verbinden.
    .action = Das Kennwort eingeben
V04 = Das ist keine Tandem-Einladung.
    .body = «{ $file }» enthält etwas anderes. Eine Einladung ist eine Datei, die auf .tandem endet, oder ein Link, der mit tandem: beginnt.
    .action = Eine andere Datei wählen
V05 = Sie sind schon mit «{ $server }» verbunden.
    .body = Diese Einladung ist für den Server, zu dem dieser Computer bereits gehört. Es ist nichts zu tun.
    .action = Weiter
V06 = Dieser Computer gehört schon zu einem anderen Server.
    .body = Er ist mit «{ $server }» verbunden, und die Einladung ist für «{ $other }». Ein Profil gehört immer zu einem Server.
    .action = Zuerst «{ $server }» verlassen, oder einen anderen Profilordner verwenden
    .command = tandem leave
V07 = Diese Einladung gilt nicht mehr.
    .body = «{ $server }» wurde gefunden, aber seitdem wurde erneuert, womit Einladungen gemacht werden.
    .action = Um eine neue Einladung bitten

## Netzwerk und Internet

N01 = Sie sind offline.
    .body = Tandem erreicht das Internet gerade nicht. Ihre Änderungen bleiben erhalten und werden gesendet, sobald Sie wieder online sind.
    .action = Noch einmal prüfen
N02 = Das Verzeichnis antwortet nicht.
    .body = Unter { $directory } antwortet niemand. Server-IDs lassen sich im Moment weder nachschlagen noch veröffentlichen. Schon verbundene Computer arbeiten weiter.
    .action = Noch einmal versuchen, oder stattdessen eine Einladungsdatei speichern
N03 = Ihr Router hat den Weg nicht geöffnet.
    .body = Computer von außen erreichen diesen noch nicht; im eigenen Netzwerk geht alles. Sie können den Weg in etwa 5 Minuten von Hand öffnen.
    .action = { $port ->
        [none] Im Router UPnP oder NAT-PMP einschalten; oder einen Port von Hand weiterleiten, sobald der Server eingerichtet ist
       *[other] Im Router den UDP-Port { $port } zu diesem Computer ({ $address }) weiterleiten, oder dort UPnP oder NAT-PMP einschalten
    }
N04 = «{ $server }» antwortet nicht.
    .body = { $last_seen_secs ->
        [0] Er ist vielleicht aus, im Ruhezustand, oder sein Router lässt keine Anrufe durch.
       *[other] Das letzte Lebenszeichen ist { $last_seen } her. Er ist vielleicht aus, im Ruhezustand, oder sein Router lässt keine Anrufe durch.
    }
    .action = Noch einmal versuchen, oder nachsehen, woran es liegt
    .command = tandem doctor
N05 = «{ $server }» macht Pause.
    .body = { $left_secs ->
        [0] Der Besitzer hat die Synchronisierung bis auf Weiteres angehalten. Ihre Änderungen bleiben so lange erhalten.
       *[other] Der Besitzer hat die Synchronisierung angehalten; Restdauer: { $left }. Ihre Änderungen bleiben so lange erhalten.
    }
    .action = Warten; es geht von selbst weiter
N07 = Die Versionen passen nicht zusammen.
    .body = { $older ->
        [here] «{ $server }» spricht Version { $other } des Protokolls, dieser Computer erst { $have }. Es wurde nichts verändert.
        [there] Dieser Computer spricht Version { $have } des Protokolls, «{ $server }» erst { $other }. Es wurde nichts verändert.
       *[unknown] Dieser Computer spricht Version { $have } des Protokolls, «{ $server }» eine andere. Es wurde nichts verändert.
    }
    .action = { $older ->
        [here] Tandem auf diesem Computer aktualisieren
        [there] Tandem auf «{ $server }» aktualisieren
       *[unknown] Tandem auf dem Computer mit der älteren Version aktualisieren
    }
N08 = «{ $server }» synchronisiert nicht über das Internet.
    .body = Der Besitzer hat das ausgeschaltet; in seinem eigenen Netzwerk geht es.
    .action = Im Netzwerk des Servers verbinden, oder den Besitzer bitten, es einzuschalten
N09 = „Über das Internet synchronisieren“ ist hier aus.
    .body = Unterwegs erreicht dieser Computer «{ $server }» nicht.
    .action = Einschalten
N10 = Dieser Server ist nicht auffindbar.
    .body = Seine Adresse steht nirgends: Peer-Namen sind aus, kein Verzeichnis ist eingestellt, und die Einladung enthält keine feste Adresse.
    .action = Peer-Namen einschalten, oder ein Verzeichnis einstellen
N11 = «{ $server }» ist beschäftigt.
    .body = Er nimmt im Moment keine weiteren Verbindungen an. Ihre Änderungen bleiben erhalten und werden gesendet, wenn er Zeit hat.
    .action = Bitte eine Minute warten; Tandem versucht es von selbst wieder
N12 = Andere Computer erreichen diesen nicht unter { $address }.
    .body = Ein anderes Programm benutzt diese Adresse, oder dieser Computer hat sie nicht.
    .action = Eine andere Adresse wählen, oder das andere Programm beenden
N13 = «Über das Internet synchronisieren» ist auf diesem Server aus.
    .body = Ein veröffentlichter Server wird von überall gefunden, aber niemand außerhalb seines Netzwerks würde hereingelassen.
    .action = Zuerst einschalten
N14 = Das Verzeichnis lehnt ab.
    .body = { $why ->
        [something-else] Was unter { $directory } antwortet, ist kein Verzeichnis: vielleicht eine Anmeldeseite dieses Netzwerks oder eine andere Webseite.
        [too-many] Dieser Server hat unter { $directory } so viele Einträge, wie einer haben darf.
        [full] { $directory } nimmt keine Einträge mehr auf.
        [name] { $directory } weiß nicht, dass es so heißt; der Betreiber muss den Namen einstellen.
        [unavailable] { $directory } hat selbst eine Störung.
       *[request] { $directory } nimmt nicht an, worum dieser Computer gebeten hat.
    }
    .action = Die Adresse prüfen, oder den Betreiber des Verzeichnisses fragen
N15 = «{ $address }» ist keine Adresse eines Verzeichnisses.
    .body = Sie besteht aus einem Hostnamen und vielleicht einem Port, sonst nichts: directory.example oder directory.example:8443.
    .action = Neu eingeben
N16 = Das Verzeichnis bittet zu warten.
    .body = { $directory } wurde von hier aus zu oft gefragt. In { $wait } antwortet es wieder.
    .action = Warten
N17 = Es gibt keinen Ort zum Veröffentlichen.
    .body = Das Netz für Adressen ist ausgelassen, und kein Verzeichnis ist genannt.
    .action = Ein Verzeichnis nennen, oder das Netz für Adressen eingeschaltet lassen
N20 = Ihr Router hat selbst keine Adresse im Internet.
    .body = Davor steht ein weiterer Router, oder er ist gerade nicht verbunden: Was er öffnet, kann von außen niemand erreichen. Im eigenen Netzwerk geht alles.
    .action = { $port ->
        [none] Steht davor ein weiterer Router, nur einen von beiden als Router benutzen
       *[other] Steht davor ein weiterer Router, dort den UDP-Port { $port } zu Ihrem weiterleiten, oder nur einen von beiden als Router benutzen
    }
N21 = Ihr Internetanbieter teilt eine Adresse unter mehreren Kunden auf.
    .body = Eine solche Adresse kann von außen niemand erreichen. Im eigenen Netzwerk geht alles.
    .action = Den Anbieter um eine eigene IPv4-Adresse oder um IPv6 bitten
N22 = Dieses Netzwerk hat keinen Router.
    .body = Computer darin finden einander; ins Internet führt kein Weg.
    .action = Diesen Computer mit einem Netzwerk verbinden, das Internetzugang hat
N23 = Die Firewall dieses Computers lässt niemanden zu Tandem durch.
    .body = { $program ->
        [ufw] Die Firewall ufw ist an, und der UDP-Port { $port } ist darin nicht offen.
        [firewalld] Die Firewall firewalld ist an, und der UDP-Port { $port } ist darin nicht offen.
       *[system] Anrufe beim UDP-Port { $port } erreichen diesen Computer, und sein Paketfilter verwirft sie.
    } Andere Computer erreichen diesen nicht, auch nicht im eigenen Netzwerk.
    .action = Den Port öffnen
    .command = tandem firewall allow
N24 = Ob die Firewall dieses Computers im Weg ist, ist nicht zu sehen.
    .body = { $program ->
        [ufw] Die Firewall ufw ist an; ihre Regeln sieht nur der Administrator.
       *[system] Ihre Regeln sieht nur der Administrator.
    }
    .action = Wenn andere Computer diesen nicht erreichen: UDP-Port { $port } und Multicast-DNS (UDP-Port 5353) erlauben
    .command = { $program ->
        [ufw] tandem firewall allow
        [nftables] sudo nft list ruleset
       *[system] tandem firewall
    }
N30 = «{ $given }» nennt keinen Vermittlungsdienst.
    .body = Höchstens zwei können benutzt werden, jeder geschrieben HOST:PORT=SCHLÜSSEL, wie der Dienst es beim Start ausgibt.
    .action = Den ganzen Text kopieren
N31 = «{ $given }» kann nicht als Relay benutzt werden.
    .body = Ein Relay wird HOST:PORT geschrieben und hat einen Benutzer mit Kennwort.
    .action = Die drei dort nachsehen, wo das Relay eingerichtet wurde
N32 = «{ $server }» ist an, aber die Router lassen keine Verbindung durch.
    .body = Ein Vermittlungsdienst hat beiden Computern voneinander gesagt. Beide Router verwerfen, was die andere Seite schickt.
    .action = Beim Server den Router einen Port öffnen lassen, oder ein Relay wählen
N33 = Manche Computer werden ein Relay brauchen, um diesen zu erreichen.
    .body = Der Router hier benutzt für jedes Ziel eine andere Adresse. Tut das auch der Router der anderen Seite, lässt sich kein Weg öffnen.
    .action = Ein Relay wählen, oder im Router UPnP, NAT-PMP oder PCP einschalten
N34 = Ein Computer mit einer anderen Version von Tandem wollte herein.
    .body = { $older ->
        [here] Er rief von { $address } an und spricht Version { $other } des Protokolls, dieser Computer erst { $have }. Er wurde abgewiesen; es wurde nichts verändert.
        [there] Er rief von { $address } an und spricht erst Version { $other } des Protokolls, dieser Computer { $have }. Er wurde abgewiesen; es wurde nichts verändert.
       *[unknown] Er rief von { $address } an und spricht eine andere Version des Protokolls als dieser Computer ({ $have }). Er wurde abgewiesen; es wurde nichts verändert.
    }
    .action = { $older ->
        [here] Tandem auf diesem Computer aktualisieren
        [there] Tandem auf dem anderen Computer aktualisieren
       *[unknown] Tandem auf dem Computer mit der älteren Version aktualisieren
    }
N35 = Das Relay lehnt ab.
    .body = { $relay } kennt diesen Benutzer mit diesem Kennwort nicht, oder hat keinen Platz. Computer, die keinen direkten Weg finden, erreichen diesen nicht.
    .action = Das Relay neu wählen, mit dem Benutzer und dem Kennwort, mit denen es eingerichtet wurde
    .command = tandem relay HOST:PORT --user NAME
N36 = Das Relay antwortet nicht.
    .body = Unter { $relay } (UDP) antwortet niemand. Computer, die keinen direkten Weg finden, erreichen diesen so lange nicht. Tandem versucht es von selbst wieder.
    .action = Nachsehen, ob das Relay an ist und sein Port offen
N37 = Das Relay nützt nichts ohne Vermittlungsdienst.
    .body = { $relay } lässt nur herein, wen dieser Computer nennt, und dieser erfährt von ihnen bei einem Vermittlungsdienst. Es ist keiner gewählt.
    .action = Einen Vermittlungsdienst wählen
    .command = tandem rendezvous HOST:PORT=KEY
N38 = Dieses Netz lässt kein UDP hinaus.
    .body = Webseiten gehen hier; die Pakete, mit denen Tandems Computer reden, kommen nicht hinaus. Im eigenen Netz geht alles.
    .action = Wer das Netz betreibt, kann ausgehendes UDP erlauben; oder ein anderes Netz benutzen, etwa das des Telefons
N39 = Eine Organisation verwaltet diesen Computer.
    .body = Er gehört zu { $domain }; deren Administratoren entscheiden, was seine Firewall und sein Netz durchlassen.
    .action = Wenn andere Computer ihn nicht finden oder erreichen, ihnen diese Prüfung zeigen
N40 = Dieses Netz verbirgt seine Computer voreinander.
    .body = «{ $server }» ist erreicht, aber was er ankündigt (Multicast-DNS), kommt hier nicht an. Neue Computer finden ihn nicht in der Liste.
    .action = Computer mit einer Einladungsdatei hinzufügen, oder Multicast (UDP-Port 5353) im WLAN oder Switch erlauben
N41 = Die Firewall ist, wie sie war.
    .body = { $program ->
        [nftables] Ihre Regeln hat jemand geschrieben, und Tandem ändert keine davon.
       *[other] Das System hat die Änderung nicht erlaubt, oder niemand hat sie bestätigt. Im eigenen Netzwerk geht weiter, was ging.
    }
    .action = Den UDP-Port { $port } selbst öffnen
    .command = { $program ->
        [ufw] sudo ufw allow { $port }/udp
        [firewalld] sudo firewall-cmd --permanent --add-port={ $port }/udp && sudo firewall-cmd --permanent --add-service=mdns && sudo firewall-cmd --reload
        [nftables] sudo nft 'insert rule inet filter input udp dport { "{" } { $port }, 5353 { "}" } accept'
       *[system] tandem firewall allow
    }
N42 = Diese Leitung kostet, was über sie geht.
    .body = Sie haben gewählt, dass das Internet auf solchen Leitungen wartet. In einem anderen Netz ist «{ $server }» wieder zu erreichen; bis dahin bleiben Ihre Änderungen aufgehoben.
    .action = Auf ein anderes Netz warten, oder auch hier synchronisieren

## Zugang: Kennwörter, Schlüssel, Erlaubnis

A01 = Das Kennwort stimmt nicht.
    .body = «{ $server }» wurde gefunden, hat dieses Kennwort aber nicht angenommen. { $tries ->
        [one] Sie haben noch einen Versuch, dann folgt eine Pause ({ $wait }).
       *[other] Sie haben noch { $tries } Versuche, dann folgt eine Pause ({ $wait }).
    }
    .action = Noch einmal versuchen
A02 = Das ist nicht der erwartete Server.
    .body = Sein Schlüssel ist ein anderer als { $known_by ->
        [id] der zu Ihrer Server-ID
        [invitation] der in der Einladung
        [lan] der, den das Netzwerk nannte
       *[last] der bei Ihrer letzten Verbindung
    }. Es wurde nichts gesendet. Wenn der Besitzer den Server neu eingerichtet hat, bitten Sie um eine neue Einladung; wenn nicht, fängt vielleicht jemand die Verbindung ab.
    .action = Anhalten und den Besitzer fragen
A03 = Dieser Computer wurde von «{ $server }» entfernt.
    .body = Der Besitzer kann ihn wieder zulassen. Was hier gespeichert ist, bleibt hier.
    .action = Den Besitzer fragen, dann neu verbinden
A04 = Hinzufügen über das Internet ist gerade geschlossen.
    .body = Es gab zu viele falsche Kennwörter. Der Besitzer kann es auf «{ $server }» öffnen, oder Sie verbinden sich in dessen Netzwerk oder mit einer Einladung, die ein Ticket hat.
    .action = Den Besitzer bitten, es zu öffnen
A05 = Dieses Kennwort ist zu leicht zu erraten.
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
    .action = Ein längeres wählen, oder den Vorschlag nehmen
A06 = «{ $server }» fragt zuerst den Besitzer.
    .body = Dieser Computer wurde dort früher entfernt. Sobald der Besitzer ihn zulässt, können Sie sich verbinden.
    .action = Den Besitzer um Zustimmung bitten, dann noch einmal versuchen
A07 = Zu viele falsche Kennwörter von diesem Computer.
    .body = «{ $server }» nimmt den nächsten Versuch nach einer Pause an; sie dauert noch { $wait }. Schon verbundene Computer arbeiten weiter.
    .action = Bitte warten ({ $wait })
A08 = Hinzufügen ist gerade geschlossen.
    .body = Im Netzwerk von «{ $server }» gab es zu viele falsche Kennwörter. Der Besitzer öffnet es mit „Computer hinzufügen“.
    .action = Den Besitzer bitten, es zu öffnen
A09 = «{ $server }» muss zuerst zustimmen.
    .body = Die Daten dieses Computers zu übernehmen, ersetzt, was auf dem Server ist. Der Besitzer muss das für diesen Computer erlauben.
    .action = Den Besitzer um Zustimmung bitten, oder beides zusammenführen
    .command = tandem devices takeover allow
A10 = Ein Kennwort wird gebraucht.
    .body = Dafür ist keines gespeichert, und es wurde keines angegeben.
    .action = In einer Datei oder über die Standardeingabe angeben
    .command = --password-file FILE
A11 = «{ $server }» kennt diesen Computer nicht mehr.
    .body = Seine Liste der Computer ist nicht mehr, wie sie war, etwa nach dem Zurückspielen einer Sicherung. Was hier gespeichert ist, bleibt hier.
    .action = Mit dem Kennwort neu verbinden
    .command = tandem leave, danach: tandem join

## Der Kennwortspeicher dieses Computers

K01 = Der Kennwortspeicher ist gesperrt.
    .body = Tandem kann seinen Schlüssel erst lesen, wenn Sie ihn entsperren. Die Synchronisierung wartet, nichts geht verloren.
    .action = Entsperren, dann noch einmal versuchen
K02 = Kein Kennwortspeicher vorhanden.
    .body = Tandem bewahrt seinen Schlüssel stattdessen in einer geschützten Datei von Ihnen auf; das Kennwort wird nicht gespeichert.
    .action = Weiter
K03 = Der Schlüssel dieses Computers ist weg.
    .body = Der Ort, an dem Tandem ihn aufbewahrt, antwortet, enthält aber keinen Schlüssel, und ein neuer wäre Ihren anderen Computern fremd. Es wurde nichts verändert.
    .action = Kennwortspeicher oder Profilordner aus einer Sicherung zurückholen, oder diesen Computer neu einrichten
K04 = Der Schlüssel dieses Computers ist nicht verwendbar.
    .body = Was an seiner Stelle liegt, wurde verändert oder gehört zu einem anderen Computer. Es wurde nichts verändert.
    .action = Kennwortspeicher oder Profilordner aus einer Sicherung zurückholen, oder diesen Computer neu einrichten
K05 = Der Kennwortspeicher antwortet nicht.
    .body = Dort liegt der Schlüssel dieses Computers. Die Synchronisierung wartet, nichts geht verloren.
    .action = Am Desktop anmelden oder den Kennwortspeicher starten, dann noch einmal versuchen
K06 = Andere können die Datei mit dem Schlüssel dieses Computers lesen.
    .body = «{ $file }» darf nur für Sie lesbar sein.
    .action = Den anderen die Erlaubnis nehmen, dann noch einmal versuchen
    .command = chmod 600 "{ $file }"

## Daten auf diesem Computer

D01 = Outlook wartet auf eine Antwort.
    .body = Es zeigt ein Fenster und lässt Tandem erst hinein, wenn Sie geantwortet haben.
    .action = In Outlook antworten, dann noch einmal versuchen
D02 = { $program ->
        [other] Ein anderes Programm benutzt die Daten allein.
       *[known] { $program } benutzt die Daten allein.
    }
    .body = Tandem versucht es jede Minute wieder und verliert nichts. Bleibt es dabei, schließen Sie { $program ->
        [other] dieses Programm
       *[known] { $program }
    } einmal.
    .action = Jetzt versuchen
D03 = Die Daten sind nicht da.
    .body = «{ $place }» ist nicht zu finden; vielleicht ist ein Laufwerk nicht verbunden. Es wurde nirgends etwas gelöscht; die Synchronisierung damit wartet.
    .action = Die Daten zurückbringen, dann noch einmal versuchen
D04 = An diesem Ort liegen andere Daten.
    .body = «{ $place }» ist nicht, was Tandem bisher synchronisiert hat. Es wurde nichts verändert; die Synchronisierung damit wartet.
    .action = Die alten Daten zurückbringen, oder diesen Ort neu verbinden
D05 = «{ $folder }» ist plötzlich leer.
    .body = Alles darin ist auf diesem Computer auf einmal weg. Nirgends sonst wurde es gelöscht; die Synchronisierung damit wartet auf Sie.
    .action = Die Einträge zurückholen, oder sie überall löschen
    .command = tandem held
D06 = An diesem Ort sind keine Daten, die Tandem kennt.
    .body = In «{ $place }» hat Tandem nach E-Mails (Maildir), Kontakten (vCard) und Kalendern (iCalendar) gesucht. Gefunden: { $found }.
    .action = Einen anderen Ordner wählen, oder einen leeren
D07 = «{ $path }» ist nicht lesbar.
    .body = Dieser Computer lässt Tandem dort nicht lesen. Der Rest geht weiter; deswegen wird nichts gelöscht.
    .action = Tandem das Lesen erlauben, dann noch einmal versuchen
D08 = «{ $path }» ist nicht beschreibbar.
    .body = Dort lässt sich nur lesen. Änderungen von anderen Computern warten; nichts geht verloren.
    .action = Das Schreiben erlauben, oder für diesen Ordner die Richtung „zum Server“ wählen
D09 = Diese Dateien müssen zuerst importiert werden.
    .body = «{ $place }» enthält: { $found }. Tandem kann sie in einen neuen Ordner übernehmen; die Dateien selbst bleiben, wie sie sind.
    .action = In einen leeren Ordner importieren, oder einen anderen wählen
D10 = «{ $name }» lässt sich nicht zusammenführen.
    .body = Tandem kann in diesen Eintrag in «{ $folder }» nicht hineinsehen und überträgt ihn unverändert, Buchstabe für Buchstabe. Beide Fassungen sind aufgehoben.
    .action = Eine von beiden wählen, oder beide behalten
D11 = «{ $name }» ist zu groß.
    .body = Der Eintrag hat { $size }, möglich sind { $max }. Er bleibt, wo er ist, in «{ $folder }»; alle anderen werden synchronisiert.
    .action = Kleiner machen, oder auslassen
D13 = «{ $name }» kann an diesem Ort nicht liegen.
    .body = «{ $folder }» nimmt diese Art von Eintrag nicht auf. Er bleibt, wo er ist; alle anderen werden synchronisiert.
    .action = Einen anderen Ordner dafür wählen
D14 = Tandem kennt «{ $spec }» nicht.
    .body = Ein Ort für Daten wird ANSCHLUSS:ORT geschrieben, zum Beispiel files:/home/anna/Daten.
    .action = Nachsehen, was es auf diesem Computer gibt
    .command = tandem stores
D15 = Outlook ist geschlossen.
    .body = Tandem startet es nicht ungefragt. Änderungen werden gesammelt und übertragen, wenn Outlook wieder offen ist.
    .action = Outlook öffnen
D16 = Auf diesem Computer gibt es kein Outlook, das Tandem fragen kann.
    .body = Nötig ist das klassische Outlook für Windows, eingerichtet und mindestens einmal benutzt.
    .action = Nachsehen, was es auf diesem Computer gibt
    .command = tandem stores
D17 = Outlook ist auf diesem Computer das neue Outlook.
    .body = Das neue Outlook lässt kein anderes Programm an seine Daten. Das klassische tut es und kann daneben benutzt werden.
    .action = Zum klassischen Outlook wechseln oder einen Ordner als Ort der Daten wählen
D18 = Outlook ist beschäftigt.
    .body = Es tut etwas, das lange dauert. Tandem versucht es von selbst wieder.
    .action = Warten, bis Outlook fertig ist
D19 = Outlook und Tandem laufen mit verschiedenen Rechten.
    .body = Eines von beiden wurde als Administrator gestartet; Windows hält die beiden dann auseinander.
    .action = Beide schließen und beide ohne Administratorrechte starten
D20 = Outlook weist andere Programme ab.
    .body = Jemand hat Nein gesagt, als Outlook fragte, oder eine Regel der Firma verbietet es. Nichts wurde geändert.
    .action = In Outlook: Datei, Optionen, Trust Center, Programmgesteuerter Zugriff
D21 = «{ $file }» ist keine Datendatei, die Tandem lesen kann.
    .body = Tandem liest .pst-, .msg-, .mbox-, .eml-, .vcf- und .ics-Dateien. Nichts wurde geändert.
    .action = Wählen Sie eine andere Datei oder speichern Sie sie zuerst in einem dieser Formate
D22 = «{ $file }» stammt von einem neueren Outlook, als Tandem lesen kann.
    .body = Es ist eine Offlinekopie (.ost) von Outlook 2013 oder neuer, Format { $version }. Was darin ist, liegt auch auf dem Mailserver. Nichts wurde geändert.
    .action = Exportieren Sie in Outlook: Datei, Öffnen und Exportieren, Importieren/Exportieren, Outlook-Datendatei (.pst)
D23 = Ein Teil von «{ $file }» ist beschädigt.
    .body = Was lesbar ist, wurde übernommen; dieser Teil nicht. Die Datei selbst bleibt, wie sie ist.
    .action = Reparieren Sie die Datei mit scanpst.exe, das zu Outlook gehört, und importieren Sie sie noch einmal: Nichts kommt doppelt
D24 = Auf diesem Computer gibt es keinen Evolution Data Server.
    .body = Er verwahrt Kontakte, Kalender, Aufgaben und Notizen der Programme von GNOME und kommt mit ihnen.
    .action = Das Paket evolution-data-server installieren oder einen Ordner als Ort der Daten wählen
D25 = Evolution Data Server antwortet nicht.
    .body = Er läuft, solange Sie an Ihrem Desktop angemeldet sind. Nichts wurde geändert; Tandem fragt von selbst wieder und verliert nichts.
    .action = Am Desktop anmelden, dann noch einmal versuchen
D26 = Evolution Data Server ist beschäftigt.
    .body = Er tut etwas, das lange dauert. Tandem versucht es von selbst noch einmal.
    .action = Warten, bis er fertig ist
D27 = Evolution Data Server weist andere Programme ab.
    .body = Eine Regel dieses Computers lässt Tandem nicht zu ihm, etwa weil es in einer Sandbox läuft. Nichts wurde geändert.
    .action = Tandem erlauben, org.gnome.evolution.dataserver zu fragen, oder einen Ordner als Ort der Daten wählen
D28 = «{ $spec }» zeigt Daten, die ein anderer gewählter Ort schon zeigt.
    .body = Alles darin wäre doppelt da. Es wurde nichts geändert.
    .action = Einen der beiden weglassen

## Synchronisierung

S01 = { $n ->
        [one] Ein Eintrag würde gelöscht – angehalten.
       *[other] { $n } Einträge würden gelöscht – angehalten.
    }
    .body = { $computer ->
        [other] { $n } von { $all } Einträgen fehlen in «{ $folder }» auf einem anderen Computer.
       *[known] { $n } von { $all } Einträgen fehlen in «{ $folder }» auf { $computer }.
    } Wurden sie absichtlich gelöscht?
    .action = Behalten (dort wiederherstellen), oder überall löschen
    .command = tandem held restore "{ $folder }"
S02 = Auf diesem Computer ist kein Platz mehr.
    .body = { $need_bytes ->
        [0] Sein Datenträger ist voll.
       *[other] { $need } werden gebraucht, { $free } sind frei.
    } Es wurde nichts verändert; die Synchronisierung geht weiter, wenn Platz ist.
    .action = Platz schaffen, oder weniger Ordner wählen
S03 = Die Verbindung ist abgerissen.
    .body = { $done } von { $all } Einträgen sind fertig und sicher. Tandem macht von selbst weiter, wenn die Verbindung wieder da ist.
    .action = Jetzt weitermachen
    .command = tandem sync
S04 = { $n ->
        [one] Ein Eintrag konnte nicht synchronisiert werden.
       *[other] { $n } Einträge konnten nicht synchronisiert werden.
    }
    .body = { $reason ->
        [too-large] Zu groß
        [unsupported] Das Programm hier kennt diese Art von Eintrag nicht
        [past-bounds] Mehr Teile, als Tandem annimmt
        [not-allowed] Dieser Computer darf in dem Ordner nicht schreiben
       *[several] Nicht alle aus demselben Grund
    }: «{ $name }». Alle anderen sind aktuell.
    .action = Die Einträge ansehen
S05 = «{ $folder }» sieht nach einer zurückgespielten Sicherung aus.
    .body = { $n ->
        [one] Ein Eintrag ist
       *[other] { $n } Einträge sind
    } auf diesem Computer auf einmal in einen früheren Zustand zurückgefallen oder haben das meiste ihres Inhalts verloren. Das wird zurückgehalten, bis Sie entscheiden; alles andere geht weiter.
    .action = Die neueren behalten, oder die früheren überall übernehmen
    .command = tandem held
S06 = Beide Seiten werden neu verglichen.
    .body = Die Aufzeichnungen dieses Computers und des Servers setzen einander nicht fort: Einer von beiden wurde aus einer Sicherung zurückgeholt oder neu eingerichtet. Gelöscht wird durch das Vergleichen nichts.
    .action = Nichts zu tun
S07 = Es wurde noch nichts verändert.
    .body = Das ist die Vorschau. Die Synchronisierung beginnt erst, wenn Sie sie bestätigen.
    .action = Prüfen, dann bestätigen
    .command = --yes
S08 = { $n ->
        [one] Ein Eintrag wurde nicht rückgängig gemacht.
       *[other] { $n } Einträge wurden nicht rückgängig gemacht.
    }
    .body = Sie wurden seither wieder geändert. Rückgängig zu machen, nähme diese neueren Änderungen weg.
    .action = Die Einträge ansehen
S09 = Tandems eigene Aufzeichnungen waren beschädigt.
    .body = Sie liegen jetzt in «{ $file }», und beide Seiten werden neu verglichen. Ihre E-Mails, Kontakte und Kalender sind unberührt, und gelöscht wird dadurch nichts.
    .action = Nichts zu tun; geschieht es wieder, den Datenträger prüfen lassen
S10 = { $n ->
        [one] Ein Konflikt wartet auf Ihre Entscheidung.
       *[other] { $n } Konflikte warten auf Ihre Entscheidung.
    }
    .body = Derselbe Eintrag wurde auf zwei Computern geändert. Bis Sie entscheiden, haben alle Computer die Fassung des Servers, und die andere ist aufgehoben.
    .action = Entscheiden
    .command = tandem conflicts
S11 = Die Synchronisierung drehte sich im Kreis und wurde angehalten.
    .body = Die Planung kam an kein Ende. Nichts ging verloren, und was fertig war, ist sicher. Da stimmt etwas in Tandem selbst nicht.
    .action = Erneut versuchen; bleibt es so, einen Bericht schicken
    .command = tandem sync
S12 = Das war die erste Synchronisierung.
    .body = Rückgängig gemacht wie jeder andere Lauf, nähme sie auch auf «{ $server }» weg, was von dort kam. Wird sie zurückgenommen, hat dieser Computer wieder, was er vorher hatte, und ist getrennt.
    .action = Trennen und zurücknehmen
    .command = tandem leave --undo

## Einstellungen, Profil, Befehle

C01 = Einstellungen lassen sich nicht speichern.
    .body = Tandem darf nicht nach { $folder } schreiben. Ihre Auswahl gilt, bis Sie Tandem beenden.
    .action = Das Schreiben dort erlauben, dann noch einmal versuchen
C02 = Die Einstellungen sind nicht verständlich.
    .body = In { $file }, Zeile { $line }: { $reason }.
    .action = Diese Zeile korrigieren, oder die Datei beiseitelegen und neu beginnen
C03 = Die Einstellungen stammen von einem neueren Tandem.
    .body = { $file } hat Version { $version }. Es wurde nichts verändert.
    .action = Tandem aktualisieren
C04 = Tandem läuft mit diesem Profil bereits.
    .body = Das Profil in { $folder } ist in Benutzung, und das laufende Tandem nimmt diese Anfrage nicht an.
    .action = Das laufende benutzen, es zuerst beenden, oder einen anderen Profilordner wählen
C05 = Dieser Computer ist noch nicht eingerichtet.
    .body = Er ist weder ein Server noch mit einem verbunden.
    .action = Einen Server einrichten, oder sich mit einem verbinden
    .command = tandem init --server, tandem join
C06 = Dieser Computer ist schon eingerichtet.
    .body = Er ist { $role ->
        [server] ein Server
       *[client] mit einem Server verbunden
    }. Ein Profil hat eine Rolle.
    .action = Einen anderen Profilordner verwenden, oder zuerst verlassen
    .command = --config-dir DIR
C07 = Es gibt keinen Computer «{ $device }».
    .body = Unter den Computern dieses Servers hat keiner diesen Namen oder diese ID.
    .action = Die Liste ansehen
    .command = tandem devices
C08 = Es gibt keinen Ordner «{ $folder }».
    .body = Kein synchronisierter Ordner hat diesen Namen.
    .action = Die Liste ansehen
    .command = tandem folders
C09 = Es gibt keinen Konflikt «{ $id }».
    .body = Vielleicht wurde er schon entschieden, auch auf einem anderen Computer.
    .action = Die Liste ansehen
    .command = tandem conflicts
C10 = Unter «{ $id }» gibt es nichts rückgängig zu machen.
    .body = Der Verlauf enthält keinen solchen Lauf oder Eintrag. Er reicht so viele Tage zurück, wie eingestellt ist.
    .action = Die Liste ansehen
    .command = tandem history
C11 = Die Anfrage ist nicht verständlich.
    .body = { $reason }.
    .action = Die Hilfe ansehen
    .command = tandem --help
C12 = Tandem läuft nicht.
    .body = Dafür muss Tandem mit dem Profil in { $folder } laufen, und keines antwortet.
    .action = Starten, dann noch einmal versuchen
    .command = tandem serve, tandem run
C13 = Etwas Unerwartetes ist geschehen.
    .body = Tandem hat diesen Schritt vorsichtshalber angehalten. Was vorher fertig war, bleibt erhalten.
    .action = Noch einmal versuchen; wenn es bleibt, einen Bericht schicken
    .command = tandem doctor
C14 = Der Profilordner ist nicht verwendbar.
    .body = Tandem kann { $folder } nicht anlegen oder öffnen.
    .action = Tandem dort die Erlaubnis geben, oder einen anderen Ordner wählen
    .command = --config-dir DIR
C15 = Das geht nur auf dem Server.
    .body = Dieser Computer ist ein Client. Worum es geht, wird auf dem Computer entschieden, der die Daten hat.
    .action = Auf dem Server ausführen
C16 = Das geht nur auf einem Client.
    .body = Dieser Computer ist der Server.
    .action = Auf dem anderen Computer ausführen
C17 = Die Aufzeichnungen stammen von einem neueren Tandem.
    .body = Diese Version kann { $file } nicht lesen. Es wurde nichts verändert.
    .action = Tandem aktualisieren
C18 = «{ $name }» ist nicht eindeutig.
    .body = { $n } Einträge beginnen so.
    .action = Mehr davon schreiben
C19 = «{ $file }» lässt sich nicht schreiben.
    .body = Dieser Computer lässt Tandem dort nicht schreiben, oder den Ordner gibt es nicht.
    .action = Einen anderen Ort wählen
C20 = «{ $file }» lässt sich nicht lesen.
    .body = Es gibt sie nicht, sie ist keine Datei, oder dieser Computer lässt Tandem sie nicht lesen.
    .action = Eine andere Datei wählen
C21 = Dieser Name ist nicht verwendbar.
    .body = Ein Name hat 1 bis { $chars_max } Zeichen in einer Zeile.
    .action = Einen anderen Namen wählen
C22 = Dieser Kommentar geht nicht.
    .body = Ein Kommentar hat höchstens { $chars_max } Zeichen in einer Zeile.
    .action = Kürzen

## Wie stark ein Kennwort ist

password-too-short = Zu kurz
password-weak = Schwach
password-good = Gut
password-strong = Stark
password-reason-length = Es braucht mindestens { $chars_min } Zeichen.
password-reason-too-long = Es kann höchstens { $bytes_max } Byte haben.
password-reason-common = Das ist ein verbreitetes Kennwort.
password-reason-name = Es enthält einen Namen, oder den Namen des Servers oder Produkts.
password-reason-words = Gängige Wörter werden zuerst geraten. Nehmen Sie mehr davon, oder seltenere.
password-reason-date = Daten und Jahreszahlen werden früh geraten.
password-reason-repeat = Wiederholte Zeichen und Wörter bringen wenig.
password-reason-sequence = Reihen wie abc oder 6543 bringen wenig.
password-reason-keyboard = Tasten, die nebeneinanderliegen, werden früh geraten.
password-reason-guessable = Es ist zu kurz für das, woraus es besteht. Machen Sie es länger.

## Mengen
# Im Nominativ; Sätze sind so gebaut, dass er passt („3 Tage her“, nicht „vor 3 Tagen“).

duration-seconds = { $count ->
        [one] 1 Sekunde
       *[other] { $count } Sekunden
    }
duration-minutes = { $count ->
        [one] 1 Minute
       *[other] { $count } Minuten
    }
duration-hours = { $count ->
        [one] 1 Stunde
       *[other] { $count } Stunden
    }
duration-days = { $count ->
        [one] 1 Tag
       *[other] { $count } Tage
    }

# Die Dialoge des Fensters, und was entfernt wurde
window-choose-folder = Ordner wählen
window-choose-data-file = Alte Datendatei wählen
window-data-files = Datendateien
window-choose-invitation = Einladung öffnen
window-save-invitation = Einladung speichern
window-save-preview = Vorschau speichern
window-choose-backup = Wo sollen frühere Fassungen aufgehoben werden?
window-export-settings = Einstellungen speichern
window-import-settings = Einstellungen aus einer Datei übernehmen
window-save-history = Verlauf speichern
window-save-report = Bericht speichern
window-invitations = Tandem-Einladungen
window-files = Dateien
removed-access = Schlüssel, Kennwort und Aufzeichnungen dieses Computers
removed-autostart = Der Start mit dem Computer
removed-settings = Einstellungen, frühere Fassungen und Protokolle

# Das Symbol im Infobereich
tray-open = Tandem öffnen
tray-sync-now = Jetzt synchronisieren
tray-pause = Pause
tray-pause-half-hour = Für 30 Minuten
tray-pause-tomorrow = Bis morgen
tray-pause-until-continued = Bis ich fortsetze
tray-continue = Fortsetzen
tray-conflicts = Konflikte ({ $n }) …
tray-invite = Weiteren Computer einladen …
tray-settings = Einstellungen …
tray-help = Hilfe
tray-quit = Tandem beenden
tray-up-to-date = Alles aktuell
tray-synchronizing = Synchronisiert
tray-paused = Pausiert
tray-waiting = Wartet auf { $server }
tray-offline = Offline
tray-needs-decision = Ihre Entscheidung ist nötig
tray-problem = Problem

# Benachrichtigungen
notice-conflict = Ein Konflikt wartet auf Sie
notice-conflict-text = Derselbe Eintrag wurde auf zwei Computern geändert. Öffnen Sie Tandem, um zu entscheiden.
notice-held = { $n ->
    [one] Eine Löschung wartet auf Sie
   *[other] { $n } Löschungen warten auf Sie
}
notice-held-text = Tandem hat sicherheitshalber angehalten. Öffnen Sie Tandem, um zu entscheiden.
notice-silence = { $days ->
    [one] Seit einem Tag nicht synchronisiert
   *[other] Seit { $days } Tagen nicht synchronisiert
}
notice-silence-text = Der andere Computer ist vielleicht aus. Öffnen Sie Tandem, um zu sehen, was zu tun ist.
