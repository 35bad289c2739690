//! Who is in which class and team, children and staff.

use jiff::civil::Date;

use super::buildings::{CHOIR, CLUBS, COUNCIL, GRADES, LANGUAGES, TRACKS, Team, class_id};
use super::chance::Chance;
use super::families::Pupil;
use super::making::{Making, nowhere};
use super::staff::Staff;
use crate::roster::{Enrollment, EnrollmentRole, Status};

/// Enrolls everyone.
pub(super) fn enroll(making: &mut Making, staff: &Staff, pupils: &[Pupil]) {
    let mut enrolling = Enrolling {
        chance: Chance::new(making.seed, 3),
        making,
    };
    for (number, (grade, track)) in GRADES.flat_map(|grade| TRACKS.map(|track| (grade, track))).enumerate() {
        enrolling.class(number, grade, track, staff, pupils);
    }
    for (number, club) in CLUBS.iter().enumerate() {
        let pedagogues = staff.pedagogues.iter().skip(number * 3).take(3);
        enrolling.staff(club.sourced_id, pedagogues, EnrollmentRole::Aide);
        enrolling.some(club, pupils);
    }
    for (number, (first, second)) in LANGUAGES.iter().enumerate() {
        let teachers = [
            &staff.other_teachers[number],
            &staff.other_teachers[number + LANGUAGES.len()],
        ];
        enrolling.staff(first.sourced_id, [teachers[0]], EnrollmentRole::Teacher);
        enrolling.staff(second.sourced_id, [teachers[1]], EnrollmentRole::Teacher);
        enrolling.either(first, second, pupils);
    }
    enrolling.staff(CHOIR.sourced_id, staff.other_teachers.last(), EnrollmentRole::Teacher);
    enrolling.some(&CHOIR, pupils);
    enrolling.staff(COUNCIL.sourced_id, [&staff.counselor], EnrollmentRole::Teacher);
    enrolling.council(pupils);
}

struct Enrolling<'m> {
    chance: Chance,
    making: &'m mut Making,
}

impl Enrolling<'_> {
    /// A class: its teacher, two others, for the youngest a pedagogue, and its children.
    fn class(&mut self, number: usize, grade: i16, track: char, staff: &Staff, pupils: &[Pupil]) {
        let class = class_id(grade, track);
        let began = self.making.year.class_began(grade);
        // Children stay with their class for ten years; teachers change.
        let staff_began = self.making.year.class_began(grade.min(2));
        let colleague = &staff.class_teachers[(number ^ 1).min(staff.class_teachers.len() - 1)];
        let other = &staff.other_teachers[number % staff.other_teachers.len()];
        for (position, teacher) in [&staff.class_teachers[number], colleague, other]
            .into_iter()
            .enumerate()
        {
            self.add(&class, teacher, EnrollmentRole::Teacher, position == 0, staff_began);
        }
        if grade <= 2 {
            let pedagogue = &staff.pedagogues[number % staff.pedagogues.len()];
            self.add(&class, pedagogue, EnrollmentRole::Aide, false, staff_began);
        }
        for pupil in pupils
            .iter()
            .filter(|pupil| (pupil.grade, pupil.track) == (grade, track))
        {
            self.add(&class, &pupil.sourced_id, EnrollmentRole::Student, false, began);
        }
    }

    /// The staff of a team; the first runs it.
    fn staff<'s>(&mut self, team: &str, people: impl IntoIterator<Item = &'s String>, role: EnrollmentRole) {
        let began = self.making.year.class_began(0);
        for (position, person) in people.into_iter().enumerate() {
            self.add(team, person, role, position == 0, began);
        }
    }

    /// The children of a team that some come to.
    fn some(&mut self, team: &Team, pupils: &[Pupil]) {
        let began = self.making.year.class_began(0);
        for pupil in pupils.iter().filter(|pupil| team.grades.contains(&pupil.grade)) {
            if self.chance.percent(team.percent) {
                self.add(
                    team.sourced_id,
                    &pupil.sourced_id,
                    EnrollmentRole::Student,
                    false,
                    began,
                );
            }
        }
    }

    /// The children of two teams, each in one of them.
    fn either(&mut self, first: &Team, second: &Team, pupils: &[Pupil]) {
        let began = self.making.year.class_began(0);
        for pupil in pupils.iter().filter(|pupil| first.grades.contains(&pupil.grade)) {
            let team = if self.chance.percent(first.percent) {
                first
            } else {
                second
            };
            self.add(
                team.sourced_id,
                &pupil.sourced_id,
                EnrollmentRole::Student,
                false,
                began,
            );
        }
    }

    fn council(&mut self, pupils: &[Pupil]) {
        let began = self.making.year.class_began(0);
        for grade in COUNCIL.grades.clone() {
            for track in TRACKS {
                let class = pupils
                    .iter()
                    .filter(|pupil| (pupil.grade, pupil.track) == (grade, track));
                for pupil in class.take(2) {
                    self.add(
                        COUNCIL.sourced_id,
                        &pupil.sourced_id,
                        EnrollmentRole::Student,
                        false,
                        began,
                    );
                }
            }
        }
    }

    fn add(&mut self, class: &str, person: &str, role: EnrollmentRole, primary: bool, began: Date) {
        let enrollments = &mut self.making.roster.enrollments;
        enrollments.push(Enrollment {
            sourced_id: format!("enrollment-{:04}", enrollments.len() + 1),
            status: Status::Active,
            place: nowhere(),
            class: class.to_owned(),
            person: person.to_owned(),
            role,
            primary,
            begin_date: Some(began),
            end_date: None,
        });
    }
}
