//! What is written around 3.A, where the demo's teacher, mother and child are.

use super::room::{Room, Rooms, people};
use super::{Conversation, DAY, HOUR};
use crate::roster::Person;

/// The class, its teacher Anne, Mette and her daughter Freja.
fn cast<'d>(rooms: &Rooms<'d>) -> Option<(Room<'d>, &'d Person, &'d Person, &'d Person)> {
    let anne = rooms.person(&rooms.cast.teacher.sourced_id)?;
    let mette = rooms.person(&rooms.cast.guardian.sourced_id)?;
    let freja = rooms.person(&rooms.cast.child.sourced_id)?;
    Some((rooms.room("class-3a")?, anne, mette, freja))
}

pub(super) fn forest_trip(rooms: &mut Rooms<'_>) -> Option<Conversation> {
    let (room, anne, mette, _) = cast(rooms)?;
    let [first, second] = rooms.parents(&room)?;
    let start = Conversation::start(anne, room.guardians(), "Tur i skoven på torsdag 🌲");
    Some(
        start
            .says(
                anne,
                26 * HOUR,
                "Kære forældre i 3.A\n\nPå torsdag går vi i skoven med natur/teknologi. Husk turtøj, gummistøvler og en god madpakke, \
                 der kan spises uden bestik. Vi er tilbage på skolen kl. 13.30. 🌲🥾",
            )
            .says(first.person, 25 * HOUR, "Skal de også have regntøj med? Der er lovet byger 🌧️")
            .says(anne, 24 * HOUR + 40, "Ja tak! Hellere for meget end for lidt. Skriv gerne navn i tøjet.")
            .says(mette, 23 * HOUR, "Freja har et par ekstra regnbukser i str. 134, hvis nogen mangler 🙂")
            .says(
                second.person,
                22 * HOUR + 15,
                format!("Dem vil vi meget gerne låne, tak Mette! 🙏 {} er vokset ud af sine.", second.child.given_name),
            )
            .says(mette, 22 * HOUR, "Så får Freja dem med i morgen 👍")
            .says(anne, 3 * HOUR, "I er guld værd ❤️ Vi glæder os til torsdag!"),
    )
}

pub(super) fn lice(rooms: &mut Rooms<'_>) -> Option<Conversation> {
    let (room, anne, mette, _) = cast(rooms)?;
    let [first, second, third] = rooms.parents(&room)?;
    let start = Conversation::start(anne, room.guardians(), "Lus i 3.A");
    Some(
        start
            .says(
                anne,
                4 * DAY,
                "Hej alle\n\nDer er fundet lus i klassen igen. Vil I kæmme jeres børn i aften, også selv om I ikke ser noget? Skriv \
                 gerne her, når I har gjort det, så vi kan komme dem til livs på én gang 🪮",
            )
            .says(first.person, 4 * DAY - 3 * HOUR, "Kæmmet. Ingen fangst 😅")
            .says(
                second.person,
                4 * DAY - 4 * HOUR,
                "Vi fandt tre 🙈 Er i gang med behandlingen nu og kæmmer igen på søndag.",
            )
            .says(mette, 4 * DAY - 5 * HOUR, "Freja er tjekket, ingen lus her ✅")
            .says(
                third.person,
                3 * DAY + 2 * HOUR,
                format!("Undskyld vi er sent ude. {} er kæmmet nu, alt ok.", third.child.given_name),
            )
            .says(anne, 3 * DAY, "Tak for de hurtige svar 🌟 Så krydser vi fingre."),
    )
}

pub(super) fn ill_today(rooms: &mut Rooms<'_>) -> Option<Conversation> {
    let (_, anne, mette, freja) = cast(rooms)?;
    let start = Conversation::start(mette, people(&[anne]), "Freja er syg i dag").about(freja);
    Some(
        start
            .says(mette, 2 * DAY + 6 * HOUR, "Godmorgen Anne. Freja har feber og bliver hjemme i dag 🤒")
            .says(
                anne,
                2 * DAY + 5 * HOUR,
                "God bedring til Freja! Vi læser videre i læsebogen, så hun kan bare læse et par sider, hvis hun orker.",
            )
            .says(
                mette,
                2 * DAY + 4 * HOUR,
                "Det skal jeg hilse og sige. Hun er mest ked af at gå glip af billedkunst 🎨",
            )
            .says(anne, 2 * DAY + 3 * HOUR, "Sig til hende, at vi gemmer hendes ler til på fredag 😊")
            .says(mette, DAY + 2 * HOUR, "Feberfri! Hun kommer igen i morgen 🎉"),
    )
}

pub(super) fn birthday(rooms: &mut Rooms<'_>) -> Option<Conversation> {
    let (room, _, mette, _) = cast(rooms)?;
    let [host, late, away] = rooms.parents(&room)?;
    let child = host.child;
    let subject = format!("{} fylder år 🎂", child.given_name);
    let start = Conversation::start(host.person, room.guardians(), &subject).about(child);
    Some(
        start
            .says(
                host.person,
                5 * DAY,
                format!(
                    "Kære alle\n\n{} fylder år, og vi vil gerne invitere hele klassen på lørdag kl. 11–14 hos os. Der er bålmad og \
                     skattejagt i haven. Gave op til 50 kr. 🎂🎈\n\nSkriv gerne, om jeres barn kommer, og om der er allergier.",
                    child.given_name
                ),
            )
            .says(mette, 5 * DAY - HOUR, "Freja kommer meget gerne! Hun tåler alt 😋")
            .says(
                late.person,
                5 * DAY - 3 * HOUR,
                format!(
                    "{} vil rigtig gerne, men har håndbold til 11.30. Er det ok, at vi kommer lidt senere?",
                    late.child.given_name
                ),
            )
            .says(host.person, 4 * DAY + 20 * HOUR, "Selvfølgelig! Vi gemmer en pind til snobrød 🔥")
            .says(
                away.person,
                4 * DAY + 12 * HOUR,
                format!(
                    "Tak for invitationen. {} er desværre hos sin mormor den weekend 😢 Stort tillykke!",
                    away.child.given_name
                ),
            ),
    )
}

pub(super) fn parents_evening(rooms: &mut Rooms<'_>) -> Option<Conversation> {
    let (room, anne, mette, _) = cast(rooms)?;
    let [first, second] = rooms.parents(&room)?;
    let start = Conversation::start(anne, room.guardians(), "Forældremøde i 3.A");
    Some(
        start
            .says(
                anne,
                9 * DAY,
                "Så er det tid til forældremøde: tirsdag kl. 17.00–18.30 i klassens lokale.\n\nDagsorden:\n1. Trivsel i klassen\n2. \
                 Lejrtur\n3. Valg af to kontaktforældre\n4. Eventuelt\n\nDer er kaffe på kanden ☕",
            )
            .says(first.person, 9 * DAY - 2 * HOUR, "Jeg kommer og stiller gerne op som kontaktforælder igen.")
            .says(second.person, 8 * DAY, "Kan man være med online? Jeg er på arbejde i den anden ende af landet den dag 🚆")
            .says(anne, 8 * DAY - HOUR, "Jeg stiller en computer op, så du kan lytte med 💻")
            .says(mette, 7 * DAY, "Vi kommer begge to, og jeg tager en kage med 🍰")
            .says(first.person, 7 * DAY - HOUR, "Så er der jo ingen undskyldning for at blive væk 😄"),
    )
}

pub(super) fn reading_week(rooms: &mut Rooms<'_>) -> Option<Conversation> {
    let (room, anne, _, freja) = cast(rooms)?;
    let [first, second] = rooms.children(&room)?;
    let start = Conversation::start(anne, room.everyone(), "Læseuge 📚");
    Some(
        start
            .says(
                anne,
                7 * HOUR,
                "Hej 3.A! I næste uge har vi læseuge. Hvem kan læse flest sider? Skriv her, hvilken bog I tager med 📚",
            )
            .says(freja, 6 * HOUR, "jeg tager en bog om heste 🐴")
            .says(first, 5 * HOUR + 30, "min er om vulkaner 🌋 den er mega god")
            .says(second, 5 * HOUR, "må man godt læse tegneserier??")
            .says(anne, 4 * HOUR + 50, "Ja, tegneserier tæller også med 😄")
            .says(second, 4 * HOUR + 45, "YES 🎉🎉")
            .says(freja, 2 * HOUR, "så tager jeg også en tegneserie med 😂"),
    )
}

pub(super) fn blue_hat(rooms: &mut Rooms<'_>) -> Option<Conversation> {
    let (_, anne, _, freja) = cast(rooms)?;
    let start = Conversation::start(anne, people(&[freja]), "En blå hue 🧶").about(freja);
    Some(
        start
            .says(
                anne,
                95,
                "Hej Freja. Jeg har fundet en blå hue i billedkunst. Er det din?",
            )
            .says(freja, 50, "JA! jeg har ledt over det hele 😭")
            .says(anne, 45, "Så ligger den på din plads i morgen 😊")
            .says(freja, 40, "tusind tak!! ❤️"),
    )
}

pub(super) fn substitute(rooms: &mut Rooms<'_>) -> Option<Conversation> {
    let (room, anne, _, _) = cast(rooms)?;
    let [first, second] = room.colleagues.first_chunk()?;
    let start = Conversation::start(anne, people(&[first, second]), "Vikar på fredag?");
    Some(
        start
            .says(
                anne,
                30 * HOUR,
                "Hej I to. Jeg er på kursus på fredag. Kan en af jer tage 3.A i 2. lektion? De skal bare læse og skrive logbog.",
            )
            .says(first, 29 * HOUR, "Det kan jeg godt. Lægger du en plan på bordet?")
            .says(anne, 28 * HOUR, "Selvfølgelig, den ligger der torsdag eftermiddag 🙏")
            .says(second, 27 * HOUR, "Så tager jeg gårdvagten for dig 👍"),
    )
}
