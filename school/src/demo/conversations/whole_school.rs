//! What is written to many at once.

use super::room::{Rooms, people};
use super::{Conversation, DAY, HOUR, Recipient};

pub(super) fn holiday_club(rooms: &mut Rooms<'_>) -> Option<Conversation> {
    let room = rooms.room("sfo-maelkevejen")?;
    let [first, second] = rooms.parents(&room)?;
    let start = Conversation::start(room.teacher, room.guardians(), "Pasning i ferien");
    Some(
        start
            .says(
                room.teacher,
                28 * HOUR,
                "Kære forældre i Mælkevejen\n\nHusk at melde jeres børn til feriepasning senest på fredag. Onsdag tænder vi bål og bager \
                 pandekager 🥞🔥",
            )
            .says(first.person, 27 * HOUR, "Hvor melder man til?")
            .says(room.teacher, 26 * HOUR, "Skriv bare her, så sætter jeg kryds ✍️")
            .says(first.person, 26 * HOUR - 10, format!("Så kommer {} mandag til onsdag.", first.child.given_name))
            .says(second.person, 20 * HOUR, format!("{} kommer alle dage. Pandekager er vigtige 😋", second.child.given_name))
            .says(room.teacher, 9 * HOUR, "Noteret begge to 👌"),
    )
}

pub(super) fn traffic(rooms: &mut Rooms<'_>) -> Option<Conversation> {
    let (first_room, second_room) = (rooms.room("class-0a")?, rooms.room("class-0b")?);
    let head = rooms.person(&rooms.demo.staff.head)?;
    let [first] = rooms.parents(&first_room)?;
    let [second] = rooms.parents(&second_room)?;
    let recipients = [first_room.guardians(), second_room.guardians()].concat();
    let start = Conversation::start(head, recipients, "Trafikken foran skolen 🚲");
    Some(
        start
            .says(
                head,
                13 * DAY,
                "Kære forældre i 0. årgang\n\nOm morgenen er der trængsel foran hovedindgangen. Brug gerne p-pladsen ved hallen, og følg \
                 børnene det sidste stykke til fods. Skolepatruljen hjælper over vejen fra kl. 7.40. 🚸",
            )
            .says(first.person, 13 * DAY - 3 * HOUR, "God idé. Kunne der komme lidt mere lys ved stien fra hallen?")
            .says(head, 12 * DAY, "Det har jeg spurgt kommunen om i dag 💡")
            .says(second.person, 12 * DAY - 2 * HOUR, "Vi er begyndt at cykle i stedet. Det er faktisk hurtigere 😄"),
    )
}

pub(super) fn project_week(rooms: &mut Rooms<'_>) -> Option<Conversation> {
    let room = rooms.room("class-8a")?;
    let [first, second, third] = rooms.children(&room)?;
    let start = Conversation::start(room.teacher, room.everyone(), "Projektuge: grupper og emner");
    Some(
        start
            .says(
                room.teacher,
                2 * DAY,
                "Hej 8.A. Skriv jeres gruppe og emne her inden torsdag. Overemnet er »Byen i fremtiden«.",
            )
            .says(
                first,
                2 * DAY - 2 * HOUR,
                format!("mig og {} vil lave noget om cykler og metro 🚇", second.given_name),
            )
            .says(second, 2 * DAY - 2 * HOUR - 5, "jep 👍")
            .says(
                third,
                DAY + 9 * HOUR,
                "må man være alene? jeg vil gerne lave en model af et højhus",
            )
            .says(
                room.teacher,
                DAY + 7 * HOUR,
                "Helst to og to, men kom og tal med mig i morgen, så finder vi en løsning.",
            )
            .says(third, DAY + 6 * HOUR, "ok tak 🙂"),
    )
}

pub(super) fn concert(rooms: &mut Rooms<'_>) -> Option<Conversation> {
    let room = rooms.room("skolekoret")?;
    let [first] = rooms.parents(&room)?;
    let start = Conversation::start(room.teacher, room.guardians(), "Koncert i aulaen 🎶");
    Some(
        start
            .says(
                room.teacher,
                3 * DAY + 4 * HOUR,
                "Kære alle korforældre\n\nVi synger i aulaen på torsdag kl. 16.30. Børnene møder kl. 16 i hvid bluse og mørke bukser. I \
                 er alle velkomne, også bedsteforældre 🎶",
            )
            .says(first.person, 3 * DAY, "Vi glæder os! Må man filme?")
            .says(
                room.teacher,
                2 * DAY + 22 * HOUR,
                "Film gerne jeres eget barn, men læg ikke noget på nettet. Skolen optager det hele og deler det her 🎥",
            ),
    )
}

pub(super) fn work_experience(rooms: &mut Rooms<'_>) -> Option<Conversation> {
    let room = rooms.room("class-9a")?;
    let [first, second] = rooms.parents(&room)?;
    let mut recipients = room.guardians();
    recipients.extend(people(&room.colleagues[..1.min(room.colleagues.len())]));
    let start = Conversation::start(room.teacher, recipients, "Praktikuge i 9.A");
    Some(
        start
            .says(
                room.teacher,
                8 * DAY + 3 * HOUR,
                "Kære forældre\n\nPraktikugen nærmer sig, og fem elever mangler endnu en plads. Kender I en arbejdsplads, der vil have \
                 besøg af en nysgerrig 9.-klasser? 🔧💊🥖",
            )
            .says(first.person, 8 * DAY, "Vi kan godt tage én på værkstedet. Det er tidligt op, kl. 6.30 😅")
            .says(second.person, 7 * DAY + 20 * HOUR, "Jeg spørger på sygehuset i morgen.")
            .says(room.teacher, 7 * DAY + 18 * HOUR, "Fantastisk, tak! Så mangler vi kun tre."),
    )
}

pub(super) fn german_words(rooms: &mut Rooms<'_>) -> Option<Conversation> {
    let room = rooms.room("tysk-7")?;
    let [first, second] = rooms.children(&room)?;
    let recipients = vec![Recipient::Class(room.sourced_id.clone())];
    let start = Conversation::start(room.teacher, recipients, "Gloser til mandag 🇩🇪");
    Some(
        start
            .says(
                room.teacher,
                10 * HOUR,
                "Hallo zusammen! Husk gloserne på side 24 til mandag. Vi tager en lille quiz.",
            )
            .says(first, 9 * HOUR, "er det også dem i den grønne boks?")
            .says(room.teacher, 8 * HOUR + 30, "Ja, også den grønne boks. Viel Glück 🍀")
            .says(second, 8 * HOUR, "ich bin bereit 😎"),
    )
}
