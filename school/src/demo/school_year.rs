//! The Danish school year: it begins on 1 August, teaching ends in June, and a child begins in the year it turns six.

use jiff::ToSpan;
use jiff::civil::{Date, date};

use super::chance::Chance;

/// The school year a day lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SchoolYear {
    /// The calendar year it begins in.
    pub(super) begins: i16,
}

impl SchoolYear {
    /// The school year of a day; the nearest that rosters can hold dates of.
    pub(super) fn of(today: Date) -> Self {
        let begins = if today.month() >= 8 {
            today.year()
        } else {
            today.year().saturating_sub(1)
        };
        Self {
            begins: begins.clamp(2000, 2150),
        }
    }

    /// Its name: 2026/27.
    pub(super) fn title(self) -> String {
        format!("{}/{:02}", self.begins, (self.begins + 1) % 100)
    }

    /// Its first day.
    pub(super) fn first_day(self) -> Date {
        date(self.begins, 8, 1)
    }

    /// Its last day: the summer holidays still belong to it.
    pub(super) fn last_day(self) -> Date {
        date(self.begins + 1, 7, 31)
    }

    /// The last day before the spring term.
    pub(super) fn last_autumn_day(self) -> Date {
        date(self.begins, 12, 31)
    }

    /// The last day of teaching.
    pub(super) fn last_teaching_day(self) -> Date {
        date(self.begins + 1, 6, 26)
    }

    /// The day the children of a grade became a class. The youngest come to the after-school club in May already, so that whatever
    /// day the demo is made on, they have been here a while.
    pub(super) fn class_began(self, grade: i16) -> Date {
        if grade == 0 {
            date(self.begins, 5, 1)
        } else {
            date(self.begins - grade, 8, 1)
        }
    }

    /// A birth date of a child in a grade. One in sixteen is a year older than the others.
    pub(super) fn birth_date(self, grade: i16, chance: &mut Chance) -> Date {
        let usual = self.begins - 6 - grade;
        let year = if chance.below(16) == 0 { usual - 1 } else { usual };
        day_of(year, chance)
    }
}

/// Any day of a year.
pub(super) fn day_of(year: i16, chance: &mut Chance) -> Date {
    date(year, 1, 1).saturating_add(i64::from(chance.between(0, 364)).days())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_year_turns_in_august() {
        assert_eq!(SchoolYear::of(date(2026, 7, 31)).begins, 2025);
        assert_eq!(SchoolYear::of(date(2026, 8, 1)).begins, 2026);
        assert_eq!(SchoolYear::of(date(2027, 1, 1)).title(), "2026/27");
        assert_eq!(SchoolYear { begins: 2099 }.title(), "2099/00");
    }

    #[test]
    fn children_are_as_old_as_their_grade() {
        let year = SchoolYear { begins: 2026 };
        let mut chance = Chance::new(1, 0);
        for grade in 0..10 {
            for _ in 0..50 {
                let born = year.birth_date(grade, &mut chance).year();
                assert!((2019 - grade..=2020 - grade).contains(&born), "{grade}: {born}");
            }
        }
    }
}
