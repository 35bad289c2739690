//! `demographics.csv`: of all it holds, only dates of birth are read. Sex and ethnicity are nobody's business here.

use super::catalogue::Catalogue;
use super::columns::Shape;
use super::people::People;
use super::problem::Problems;

const SHAPE: Shape = Shape {
    known: &[
        "sourcedId",
        "status",
        "dateLastModified",
        "birthDate",
        "sex",
        "americanIndianOrAlaskaNative",
        "asian",
        "blackOrAfricanAmerican",
        "nativeHawaiianOrOtherPacificIslander",
        "white",
        "demographicRaceTwoOrMoreRaces",
        "hispanicOrLatinoEthnicity",
        "countryOfBirthCode",
        "stateOfBirthAbbreviation",
        "cityOfBirth",
        "publicSchoolResidenceStatus",
    ],
    needed: &["sourcedId", "birthDate"],
    expected: &[],
    dates: &["birthDate"],
};

/// Reads dates of birth.
pub(super) fn read(catalogue: &Catalogue<'_>, people: &mut People, problems: &mut Problems) {
    let Some(table) = catalogue.open("demographics", &SHAPE, false, problems) else {
        return;
    };
    table.each_row(problems, |row| {
        if row.required("sourcedId").is_none() {
            return;
        }
        let Ok(Some((position, _))) = row.reference("sourcedId", &people.index, "row skipped") else {
            return;
        };
        let birth_date = row.date("birthDate", "date left out").ok().flatten();
        if let Some(person) = people.list.get_mut(position) {
            person.birth_date = birth_date;
        }
    });
}
