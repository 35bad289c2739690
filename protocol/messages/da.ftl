# Hvad et menneske læser, når noget ikke kan lade sig gøre. Én sætning for hver fejlkode.

error-bad-request = Noget i forespørgslen er ikke gyldigt.
error-too-large = Det er for stort.
error-not-found = Det findes ikke, eller du har ikke adgang til det.
error-not-permitted = Det har du ikke lov til.
error-clock-ahead = Enhedens ur går forkert.
error-restamp = Beskeden blev ikke sendt. Den sendes igen.
error-client-id-reused = Beskeden er allerede sendt med et andet indhold.
error-recalled = Beskeden er trukket tilbage.
error-conflict = En anden har ændret det i mellemtiden.
error-too-many = Det går lidt for hurtigt. Prøv igen om lidt.
error-overloaded = Der er meget travlt lige nu. Prøv igen om lidt.
error-storage-full = Serveren har ikke mere plads. Beskeden er ikke sendt.
error-storage-unavailable = Serveren svarer ikke lige nu. Prøv igen.
error-keys-unavailable = Nøglerne til dataene er ikke tilgængelige lige nu.
error-wrong-credentials = Brugernavn eller adgangskode er forkert.
error-disabled = Kontoen er lukket.
error-invalid-token = Log ind igen.
error-invalid-activation-code = Aktiveringskoden er forkert, brugt eller udløbet. Bed om en ny.
error-weak-password = Vælg en bedre adgangskode: mindst 10 tegn.
error-internal = Der skete en fejl på serveren.
