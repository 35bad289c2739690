//! What one family and the school write to each other on an ordinary day.

use super::room::{Rooms, people};
use super::{Conversation, DAY, HOUR};
use crate::demo::FamilyShape;

pub(super) fn forgotten_lunch(rooms: &mut Rooms<'_>) -> Option<Conversation> {
    let room = rooms.room("class-1b")?;
    let [parent] = rooms.parents(&room)?;
    let name = &parent.child.given_name;
    let start = Conversation::start(parent.person, people(&[room.teacher]), "Glemt madpakke").about(parent.child);
    Some(
        start
            .says(
                parent.person,
                5 * HOUR,
                format!("Hej! {name} har glemt sin madpakke på køkkenbordet 🙈 Jeg kan komme med den kl. 10. Hvor skal den afleveres?"),
            )
            .says(
                room.teacher,
                4 * HOUR + 45,
                format!("Bare på kontoret, så henter {name} den i frikvarteret. Det sker for alle 😉"),
            )
            .says(parent.person, 4 * HOUR, "Afleveret! Der ligger en ekstra bolle i til trøst 🥐")
            .says(room.teacher, 3 * HOUR, "Den blev modtaget med et stort smil 😄"),
    )
}

pub(super) fn changing_homes(rooms: &mut Rooms<'_>) -> Option<Conversation> {
    let (child, guardians, room) = rooms.family(FamilyShape::TwoHomes)?;
    let [mother, father] = guardians.first_chunk()?;
    let name = &child.given_name;
    let recipients = people(&[room.teacher, mother]);
    let start = Conversation::start(father, recipients, "Vi bytter skiftedag").about(child);
    Some(
        start
            .says(
                father,
                3 * DAY,
                format!(
                    "Hej begge. I denne uge skifter {name} fredag i stedet for mandag, da jeg skal rejse. Er det ok?"
                ),
            )
            .says(
                mother,
                3 * DAY - 2 * HOUR,
                "Det er fint med mig. Så henter jeg fredag kl. 14.",
            )
            .says(
                room.teacher,
                3 * DAY - 5 * HOUR,
                format!("Tak fordi I skriver. Jeg siger det til {name} og de andre voksne 👍"),
            )
            .says(
                father,
                2 * DAY + 12 * HOUR,
                "Husk idrætstøjet, det hænger i gangen hos mig. Jeg sender det med i tasken.",
            ),
    )
}

pub(super) fn foster_home(rooms: &mut Rooms<'_>) -> Option<Conversation> {
    let (child, guardians, room) = rooms.family(FamilyShape::Foster)?;
    let [_, foster_mother, _] = guardians.first_chunk()?;
    let name = &child.given_name;
    let start = Conversation::start(foster_mother, people(&[room.teacher]), "Møde på onsdag").about(child);
    Some(
        start
            .says(
                foster_mother,
                6 * DAY,
                format!("Hej. Vi har møde om {name} på onsdag kl. 13. Vil du sende et par linjer om, hvordan det går i klassen?"),
            )
            .says(
                room.teacher,
                6 * DAY - 4 * HOUR,
                format!("Meget gerne. Det korte svar: godt! {name} er begyndt at række hånden op og har fået en fast makker."),
            )
            .says(foster_mother, 6 * DAY - 5 * HOUR, "Hvor er det dejligt at høre 🥰 Det siger vi videre."),
    )
}

pub(super) fn trouble_in_the_break(rooms: &mut Rooms<'_>) -> Option<Conversation> {
    let room = rooms.room("class-5b")?;
    let [parent] = rooms.parents(&room)?;
    let name = &parent.child.given_name;
    let start = Conversation::start(parent.person, people(&[room.teacher]), "Frikvartererne").about(parent.child);
    Some(
        start
            .says(
                parent.person,
                35 * HOUR,
                format!("Hej. {name} har været ked af frikvartererne den sidste uge og føler sig holdt uden for fodbolden. Har I set noget?"),
            )
            .says(
                room.teacher,
                33 * HOUR,
                "Tak fordi du skriver. Vi har set, at holdene bliver valgt af de samme to hver gang. Det tager vi op på klassens møde i \
                 morgen.",
            )
            .says(room.teacher, 8 * HOUR, format!("Nu trækker vi lod om holdene ⚽ Og {name} scorede to mål i dag!"))
            .says(parent.person, 6 * HOUR, "Tusind tak, det kunne mærkes her til eftermiddag 😊"),
    )
}

pub(super) fn photo_consent(rooms: &mut Rooms<'_>) -> Option<Conversation> {
    let room = rooms.room("class-2a")?;
    let [parent] = rooms.parents(&room)?;
    let secretary = rooms.person(&rooms.demo.staff.secretary)?;
    let name = &parent.child.given_name;
    let start = Conversation::start(secretary, people(&[parent.person]), "Samtykke til fotos").about(parent.child);
    Some(
        start
            .says(
                secretary,
                11 * DAY,
                format!(
                    "Hej. Vi mangler dit svar på, om {name} må være med på klassebilledet, der hænger på gangen 📸"
                ),
            )
            .says(
                parent.person,
                10 * DAY,
                "Ja, det er helt i orden, men ikke på skolens hjemmeside, tak.",
            )
            .says(secretary, 10 * DAY - 2 * HOUR, "Det er noteret. Tak for hurtigt svar!"),
    )
}
