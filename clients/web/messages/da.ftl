# Danske tekster. Nøgler begynder med den evne, de hører til. Samme nøgler findes i en.ftl.

## Hele appen

app-name = Samtale
app-skip-to-content = Gå til indholdet
app-loading = Åbner …
app-close = Luk
app-cancel = Annuller
app-back = Tilbage
app-retry = Prøv igen
app-not-found = Siden findes ikke
app-not-found-help = Adressen er forkert, eller også har du ikke adgang længere.
app-to-inbox = Til indbakken
app-navigation = Menu

dates-today = I dag
dates-yesterday = I går

## Forbindelsen

connection-offline = Du har ikke internet. Det, du skriver, gemmes her og sendes senere.
connection-reconnecting = Ingen forbindelse. Prøver igen { $seconds ->
        [0] nu
        [one] om et sekund
       *[other] om { $seconds } sekunder
    }.
connection-connecting = Forbinder …
connection-catching-up = Henter nye beskeder …
connection-waiting = { $count ->
        [one] Én besked venter.
       *[other] { $count } beskeder venter.
    }
connection-try-now = Prøv nu
connection-new-version = Der er en ny udgave af Samtale.
connection-take-new-version = Hent den

## Log ind

login-title = Log ind
login-welcome = Skolens samtaler, her og nu
login-username = Brugernavn
login-password = Adgangskode
login-show-password = Vis adgangskode
login-hide-password = Skjul adgangskode
login-own-device = Det er min egen telefon eller computer
login-own-device-help = Så bliver du ved med at være logget ind og kan læse uden internet. Lad feltet stå tomt, hvis andre også bruger den.
login-submit = Log ind
login-busy = Logger ind …
login-first-time = Første gang her?
login-to-activate = Brug din aktiveringskode
login-missing = Skriv både dit brugernavn og din adgangskode.
login-ended = Du er blevet logget ud. Log ind igen for at fortsætte.
login-outdated = Du har en gammel udgave af Samtale. Luk siden, og åbn den igen.
login-logged-out = Du er logget ud.

activate-title = Kom i gang
activate-help = Find arket, du har fået af skolen. Du vælger selv den adgangskode, du vil bruge fra nu af.
activate-code = Aktiveringskode
activate-code-help = Fire gange fire tegn, for eksempel K7QM-2XWD-9RTF-H4VB
activate-new-password = Vælg en adgangskode
activate-password-help = Mindst 10 tegn. En lille sætning er nem at huske.
activate-submit = Kom i gang
activate-missing = Udfyld alle tre felter.
activate-to-login = Jeg har allerede en adgangskode

## Indbakken

inbox-title = Indbakke
inbox-new = Ny samtale
inbox-search = Søg i samtaler
inbox-search-clear = Ryd søgningen
inbox-search-none = Ingen samtaler passer til »{ $search }«.
inbox-search-more = Søg i ældre samtaler
inbox-search-stop = Stop
inbox-searching = Søger …
inbox-searched = { $count ->
        [one] Der er søgt i én samtale, tilbage til { $date }.
       *[other] Der er søgt i { $count } samtaler, tilbage til { $date }.
    }
inbox-searched-all = { $count ->
        [one] Der er søgt i din ene samtale.
       *[other] Der er søgt i alle dine { $count } samtaler.
    }
inbox-searched-what = Søgningen ser på emner, navne og den nyeste besked.
inbox-empty = Her er stille endnu
inbox-empty-help = Når nogen skriver til dig, kan du se det her. Du kan også selv begynde en samtale.
inbox-empty-filter = Ingen samtaler her
inbox-empty-filter-help = Vælg noget andet foroven, eller vis alle.
inbox-show-all = Vis alle
inbox-loading = Henter dine samtaler …
inbox-more = Vis ældre samtaler
inbox-unread = { $count ->
        [one] Én ulæst
       *[other] { $count } ulæste
    }
inbox-unread-many = 50 eller flere ulæste
inbox-muted = Lydløs
inbox-marked = Med mærke
inbox-left = Du er ikke længere med
inbox-you = Du: { $preview }
inbox-draft = Kladde: { $preview }
inbox-recalled = Beskeden er trukket tilbage
inbox-regarding = Om { $names }
inbox-mute = Slå lyden fra
inbox-unmute = Slå lyden til
inbox-mark = Sæt mærke
inbox-unmark = Fjern mærket
inbox-actions = Valgmuligheder for »{ $subject }«
inbox-filter = Vælg, hvilke samtaler du vil se
inbox-filter-all = Alle
inbox-filter-unread = Ulæste
inbox-filter-marked = Med mærke
inbox-pick = Vælg en samtale
inbox-pick-help = Så åbner den her. Du kan bladre med pil op og pil ned.
inbox-no-subject = Uden emne

## En samtale

thread-loading = Henter samtalen …
thread-older-loading = Henter ældre beskeder …
thread-beginning = Samtalen begyndte { $date }
thread-new = Nyt siden sidst
thread-new-below = { $count ->
        [one] Én ny besked
       *[other] { $count } nye beskeder
    }
thread-to-newest = Gå til det nyeste
thread-log = Beskeder i »{ $subject }«
thread-you = Dig
thread-queued = Venter på forbindelse
thread-sending = Sender …
thread-sent = Sendt
thread-failed = Ikke sendt
thread-failed-drop = Slet
thread-read-by = { $count ->
        [one] Læst af én
       *[other] Læst af { $count }
    }
thread-read-by-all = Læst af alle
thread-edited = rettet
thread-recalled = Beskeden er trukket tilbage
thread-unknown-part = Her er noget, som din udgave af Samtale ikke kan vise endnu.
thread-answers = Svar til { $name }
thread-answers-unknown = Svar til en tidligere besked
thread-message-actions = Valgmuligheder for beskeden fra { $name } kl. { $time }
thread-answer = Svar på beskeden
thread-reply-to-sender = Skriv kun til { $name }
thread-edit = Ret
thread-recall = Træk tilbage
thread-recall-title = Træk beskeden tilbage?
thread-recall-help = Alle holder op med at kunne se teksten. Der kommer til at stå, at beskeden er trukket tilbage.
thread-copy = Kopiér teksten
thread-copied = Teksten er kopieret
thread-grew-out-of = Begyndte som svar på en besked i en anden samtale
thread-see-original = Se den
thread-details = Om samtalen
thread-members-count = { $count ->
        [one] Én deltager
       *[other] { $count } deltagere
    }
thread-members-more = Vis flere deltagere
thread-families = { $count ->
        [one] én familie
       *[other] { $count } familier
    }
thread-member-read-all = Har læst alt
thread-member-read-to = Har læst til og med { $date }
thread-member-read-none = Har ikke læst endnu
thread-member-joined = Har været med siden { $date }
thread-member-left = Ikke med siden { $date }
thread-member-remove = Fjern { $name } fra samtalen
thread-member-remove-title = Fjern { $name } fra samtalen?
thread-member-remove-help = { $name } kan stadig læse det, der er skrevet indtil nu.
thread-member-remove-submit = Fjern
thread-online = Online nu
thread-add = Tilføj deltagere
thread-add-from-now = De kan se det, der bliver skrevet fra nu af
thread-add-from-beginning = De kan også se alt det, der er skrevet
thread-add-from-help = Alle i samtalen kan se, hvad du vælger.
thread-add-submit = Tilføj
thread-rename = Skift emne
thread-rename-submit = Gem emnet
thread-leave = Forlad samtalen
thread-leave-title = Forlad samtalen?
thread-leave-help = Du kan stadig læse det, der er skrevet, men du får ikke flere beskeder herfra.
thread-leave-submit = Forlad
thread-may-not-write = Du kan læse her, men ikke skrive.
thread-no-longer-in-it = Du er ikke længere med i samtalen. Du kan læse det, der er skrevet indtil { $date }.
thread-gone = Du kan ikke se denne samtale længere
thread-write = Skriv en besked
thread-write-to-all = Til alle { $members }
thread-write-to-all-families = Til alle { $members } · { $families }
thread-send = Send
thread-save-edit = Gem rettelsen
thread-editing = Du retter din besked
thread-answering = Svar til { $name }
thread-answering-alone = Kun til { $name }, i jeres egen samtale
thread-too-long = Teksten er for lang med { $bytes } tegn. Del den i to.
thread-typing-one = { $name } skriver …
thread-typing-two = { $first } og { $second } skriver …
thread-typing-many = Flere skriver …
thread-arrived = { $name } skrev: { $preview }
thread-someone = En deltager
thread-new-line = Ny linje: Shift + Enter

## Skriv

compose-title = Ny samtale
compose-space = Skriv som
compose-to = Til
compose-to-help = Søg på et navn eller en klasse
compose-suggestions = Forslag til modtagere
compose-none = Ingen passer til »{ $search }«
compose-remove = Fjern { $name }
compose-group-all = Alle i { $group }
compose-group-guardians = Forældre i { $group }
compose-group-employees = Ansatte i { $group }
compose-group-children = Elever i { $group }
compose-child-guardians = Forældre til { $name }
compose-guardian-of = Forælder til { $children }
compose-group-size = { $count ->
        [one] Én person
       *[other] { $count } personer
    }
compose-subject = Emne
compose-regarding = Hvem handler det om?
compose-regarding-help = Så kan alle se, hvilket barn det gælder.
compose-text = Besked
compose-submit = Send
compose-missing-choice = »{ $search }« er ikke valgt endnu. Vælg på listen, eller slet det, du har skrevet.
compose-missing-to = Vælg mindst én modtager.
compose-missing-subject = Skriv et emne.
compose-missing-text = Skriv en besked.
compose-not-allowed = Du kan ikke skrive til { $name }
compose-queued = Beskeden er gemt og bliver sendt, så snart der er forbindelse.
compose-sending = Sender …
compose-discard = Smid væk
compose-offline = Du kan først finde modtagere, når du har forbindelse.
compose-chosen = { $count ->
        [0] Ingen modtagere valgt
        [one] Én modtager valgt
       *[other] { $count } modtagere valgt
    }

rule-municipality-forbids = Kommunen har besluttet, at { $from } ikke kan begynde en samtale med { $to }.
rule-institution-forbids = Skolen har besluttet, at { $from } ikke kan begynde en samtale med { $to }.
rule-not-visible = Du kan ikke skrive til den, du har valgt. Spørg skolen, hvis du mener, du burde kunne.
rule-groups-are-for-staff = Kun ansatte kan skrive til en hel gruppe. Vælg dem én ad gangen i stedet.
rule-has-left = Personen er ikke længere på skolen.
rule-nobody-there = Der er ingen at skrive til her endnu.
rule-other = Det tillader reglerne ikke. Spørg skolen, hvis du er i tvivl.

profiles-none = Du har ingen profil her
profiles-none-help = Skolen har ikke givet dig en plads endnu, eller du har den ikke længere. Spørg skolens kontor, hvis det er en fejl.

role-child = Elev
role-guardian = Forælder
role-employee = Ansat
role-institution-admin = Administrator
role-municipality-admin = Kommunens administrator
role-children = elever
role-guardians = forældre
role-employees = ansatte
role-admins = administratorer

group-class = Klasse
group-team = Hold
group-custom = Gruppe

withheld-name-protected = { $count ->
        [one] Én vises ikke: navnet er beskyttet.
       *[other] { $count } vises ikke: navnene er beskyttet.
    }
withheld-not-permitted = { $count ->
        [one] Én vises ikke: din rolle giver ikke adgang.
       *[other] { $count } vises ikke: din rolle giver ikke adgang.
    }
withheld-outside-membership = { $count ->
        [one] Én vises ikke: den er fra før eller efter, du var med.
       *[other] { $count } vises ikke: de er fra før eller efter, du var med.
    }
withheld-unreadable = { $count ->
        [one] Én kan ikke læses.
       *[other] { $count } kan ikke læses.
    }

## Indstillinger

settings-title = Indstillinger
settings-language = Sprog
settings-theme = Udseende
settings-theme-system = Automatisk
settings-theme-light = Lyst
settings-theme-dark = Mørkt
settings-presence = Online
settings-presence-visible = Vis, når jeg er online
settings-presence-help = Slår du det fra, kan ingen se, om du er her. Det gælder overalt, hvor du er logget ind.
settings-logins = Her er du logget ind
settings-logins-help = Er der et sted, du ikke kender, så log ud der, og sig det til skolen.
settings-login-current = Du er her nu
settings-login-since = Siden { $date }
settings-login-end = Log ud der
settings-login-end-title = Log ud på »{ $client }«?
settings-login-end-help = Man skal logge ind igen for at bruge Samtale der.
settings-log-out = Log ud
settings-log-out-title = Log ud?
settings-log-out-help = Det, der ligger her, bliver slettet. Skolen har stadig alle beskederne, og du ser dem igen, når du logger ind.
settings-log-out-waiting = { $count ->
        [one] Én besked er ikke sendt endnu og går tabt.
       *[other] { $count } beskeder er ikke sendt endnu og går tabt.
    }
settings-log-out-offline = Der er ingen forbindelse, så du bliver kun logget ud her.
settings-profiles = Dine profiler
settings-accessibility = Tilgængelighedserklæring
settings-version = Samtale { $version }

## Fejl: hvad der er galt, og hvad man kan gøre

error-offline = Der er ingen forbindelse. Prøv igen, når du har internet.
error-timed-out = Samtale svarede ikke. Prøv igen om lidt.
error-bad-request = Det gik ikke. Luk siden, åbn den igen, og prøv en gang til.
error-too-large = Det er for langt. Gør det kortere, og prøv igen.
error-not-permitted = Det har du ikke lov til. Spørg skolen, hvis du mener, du burde have.
error-client-id-reused = Beskeden kunne ikke sendes. Kopiér teksten, og skriv den igen.
error-storage-full = Der er ikke plads til flere beskeder. Du kan læse, og det, du skriver, bliver gemt her. Sig det til skolen.
error-storage-unavailable = Der kan ikke gemmes noget lige nu. Prøv igen om lidt.
error-keys-unavailable = Beskederne kan ikke åbnes lige nu. Det, du skriver, bliver gemt her.
error-wrong-credentials = Brugernavnet eller adgangskoden er forkert. Prøv igen, eller få en ny kode af skolen.
error-disabled = Din adgang er lukket. Kontakt skolen.
error-invalid-token = Du er blevet logget ud. Log ind igen.
error-invalid-activation-code = Koden er forkert, brugt eller for gammel. Bed skolen om en ny.
error-weak-password = Adgangskoden er for kort, for lang eller for nem at gætte. Vælg en anden.
error-outbox = Din telefon eller computer kan ikke gemme det, du skriver. Gør plads, eller slå privat browsing fra.
error-unknown = Noget gik galt. Prøv igen.
