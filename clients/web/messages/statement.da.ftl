# Tilgængelighedserklæringen. Den hentes først, når den vises.

statement-title = Tilgængelighedserklæring
statement-intro = Samtale skal kunne bruges af alle: med mus, finger eller tastatur, med store bogstaver, og når siden læses højt.
statement-aim = Det går vi efter
statement-aim-standard = Samtale følger WCAG 2.2 på niveau AA og den europæiske standard EN 301 549, version 3.2.1. Det er de regler, loven peger på.
statement-tested = Sådan er det afprøvet
statement-tested-axe = Alle skærme er gennemgået med prøveværktøjet axe, både i lyst og mørkt.
statement-tested-keyboard = Man kan logge ind, læse, svare og begynde en samtale med tastaturet alene.
statement-tested-zoom = Siden kan forstørres til 400 %, uden at man skal rulle sidelæns.
statement-tested-sight = Farver og tekst har tydelig kontrast, og intet fortælles med farver alene.
statement-gaps = Det mangler vi
statement-gaps-people = Mennesker, der bruger skærmlæser hver dag, har ikke prøvet Samtale endnu. Der kan være fejl, som værktøjer ikke finder.
statement-gaps-browsers = Afprøvningen er gjort i Chromium. I Safari og Firefox er den ikke gjort endnu.
statement-gaps-messages = Beskederne er skrevet af mennesker. Vi kan ikke love, at de er lette at læse.
statement-contact = Er der noget, du ikke kan bruge?
statement-contact-school = Skriv eller ring til din skole. Det er skolen eller kommunen, der driver Samtale her, og som kan hjælpe dig og rette fejl.
statement-contact-authority = Får du ikke et godt svar, kan du henvende dig til Digitaliseringsstyrelsen, som fører tilsyn i Danmark.
statement-whose = Vi, der laver Samtale, har skrevet dette. Skolen eller kommunen kan have sin egen erklæring ved siden af.
