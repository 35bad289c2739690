//! Dates as people and spreadsheets write them. OneRoster wants `2026-08-10`; Danes write 10-08-2026, 10/08/2026 or 10.08.2026.

use jiff::ToSpan;
use jiff::civil::Date;

/// Which number of a date such as 03/04/2015 is the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// As Danes write, and nearly everyone.
    DayFirst,
    /// As Americans write.
    MonthFirst,
}

/// How a date was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Form {
    /// As OneRoster wants it, or as the date of an ISO 8601 time.
    Iso,
    /// A time that is midnight in Denmark, written in universal time: the day after the one that is written.
    DanishMidnight,
    /// Year first, but otherwise not ISO.
    YearFirst,
    /// Day, month, year, and only one reading is possible.
    DayFirst,
    /// Month, day, year.
    MonthFirst,
    /// Could be either; read by the column's order.
    Ambiguous,
    /// The year 9999: no date at all, but "never".
    Never,
}

/// Years that can be meant in a school.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2200;

/// The year that systems write for "no end".
const NEVER: i16 = 9999;

/// Reads a date; none when it is not one.
pub(super) fn read(text: &str, order: Order) -> Option<(Date, Form)> {
    let (day_part, time_part) = match text.find(['T', 't', ' ']) {
        Some(position) => (&text[..position], &text[position + 1..]),
        None => (text, ""),
    };
    let numbers = numbers(day_part)?;
    let (date, form) = match numbers.lengths {
        [4, _, _] => year_first(&numbers)?,
        [_, _, 4] => year_last(&numbers, order)?,
        _ => return None,
    };
    if date.year() == NEVER {
        return Some((date, Form::Never));
    }
    let (date, form) = if form == Form::Iso && is_danish_midnight(time_part) {
        (date.checked_add(1.day()).ok()?, Form::DanishMidnight)
    } else {
        (date, form)
    };
    YEARS.contains(&date.year()).then_some((date, form))
}

/// The order that a date gives away: 25/12 can only be the one, 12/25 only the other.
pub(super) fn evidence(text: &str) -> Option<Order> {
    let numbers = numbers(text.split(['T', 't', ' ']).next()?)?;
    match (numbers.lengths, numbers.values) {
        ([_, _, 4], [13..=31, 1..=12, _]) => Some(Order::DayFirst),
        ([_, _, 4], [1..=12, 13..=31, _]) => Some(Order::MonthFirst),
        _ => None,
    }
}

struct Numbers {
    values: [i16; 3],
    lengths: [usize; 3],
    separator: Option<char>,
}

/// The three numbers of a date, between `-`, `/` or `.`, or the eight digits of `20260810`.
fn numbers(text: &str) -> Option<Numbers> {
    if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let values = [
            text[..4].parse().ok()?,
            text[4..6].parse().ok()?,
            text[6..].parse().ok()?,
        ];
        return Some(Numbers {
            values,
            lengths: [4, 2, 2],
            separator: None,
        });
    }
    let mut parts = text.split(['-', '/', '.']);
    let parts = [parts.next()?, parts.next()?, parts.next()?].into_iter().chain(parts);
    let parts: Vec<&str> = parts.collect();
    let [first, second, third] = parts.as_slice() else {
        return None;
    };
    let digits = |part: &str| (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    if ![first, second, third].into_iter().all(|part| digits(part)) {
        return None;
    }
    let values = [first.parse().ok()?, second.parse().ok()?, third.parse().ok()?];
    let separator = text.chars().find(|character| !character.is_ascii_digit());
    Some(Numbers {
        values,
        lengths: [first.len(), second.len(), third.len()],
        separator,
    })
}

fn year_first(numbers: &Numbers) -> Option<(Date, Form)> {
    let [year, month, day] = numbers.values;
    let form = if numbers.separator == Some('-') && numbers.lengths == [4, 2, 2] {
        Form::Iso
    } else {
        Form::YearFirst
    };
    Some((date(year, month, day)?, form))
}

fn year_last(numbers: &Numbers, order: Order) -> Option<(Date, Form)> {
    let [first, second, year] = numbers.values;
    let day_first = date(year, second, first);
    let month_first = date(year, first, second);
    match (day_first, month_first) {
        (Some(date), Some(same)) if date == same => Some((date, Form::DayFirst)),
        (Some(date), Some(_)) if order == Order::DayFirst => Some((date, Form::Ambiguous)),
        (Some(_), Some(date)) => Some((date, Form::Ambiguous)),
        (Some(date), None) => Some((date, Form::DayFirst)),
        (None, Some(date)) => Some((date, Form::MonthFirst)),
        (None, None) => None,
    }
}

fn date(year: i16, month: i16, day: i16) -> Option<Date> {
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// Midnight in Denmark is 22:00 the day before in universal time, in winter 23:00. Systems that keep days as moments write that.
fn is_danish_midnight(time: &str) -> bool {
    let Some(moment) = time.strip_suffix('Z').or_else(|| time.strip_suffix("+00:00")) else {
        return false;
    };
    let whole = moment.split_once('.').map_or(moment, |(whole, fraction)| {
        if fraction.bytes().all(|byte| byte == b'0') {
            whole
        } else {
            moment
        }
    });
    matches!(whole, "22:00" | "22:00:00" | "23:00" | "23:00:00")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, order: Order, expected: Option<(&str, Form)>) {
        let found = read(text, order).map(|(date, form)| (date.to_string(), form));
        assert_eq!(found, expected.map(|(date, form)| (date.to_owned(), form)), "{text}");
    }

    #[test]
    fn every_way_to_write_a_date_is_read() {
        let day_first = [
            ("2026-08-10", "2026-08-10", Form::Iso),
            ("2026-08-10T00:00:00.000Z", "2026-08-10", Form::Iso),
            ("2026-08-10T08:30:00+02:00", "2026-08-10", Form::Iso),
            ("2026-08-10 12:00", "2026-08-10", Form::Iso),
            ("2026-07-31T22:00:00.000Z", "2026-08-01", Form::DanishMidnight),
            ("2026-12-31T23:00:00Z", "2027-01-01", Form::DanishMidnight),
            ("2026-07-31T22:00:00.500Z", "2026-07-31", Form::Iso),
            ("2026/8/1", "2026-08-01", Form::YearFirst),
            ("20260810", "2026-08-10", Form::YearFirst),
            ("25-12-2014", "2014-12-25", Form::DayFirst),
            ("25/12/2014", "2014-12-25", Form::DayFirst),
            ("25.12.2014", "2014-12-25", Form::DayFirst),
            ("25-12-2014 00:00:00", "2014-12-25", Form::DayFirst),
            ("5/5/2015", "2015-05-05", Form::DayFirst),
            ("03/04/2015", "2015-04-03", Form::Ambiguous),
            ("3-4-2015", "2015-04-03", Form::Ambiguous),
            ("12/25/2014", "2014-12-25", Form::MonthFirst),
            ("31-12-9999", "9999-12-31", Form::Never),
        ];
        for (text, date, form) in day_first {
            check(text, Order::DayFirst, Some((date, form)));
        }
        check("03/04/2015", Order::MonthFirst, Some(("2015-03-04", Form::Ambiguous)));
    }

    #[test]
    fn what_is_no_date_is_not_read() {
        for text in [
            "",
            "x",
            "2026-13-01",
            "2026-02-30",
            "01-02-15",
            "43831",
            "0001-01-01",
            "1-2-3-4",
            "9999",
            "--",
            "+1-1-2020",
        ] {
            check(text, Order::DayFirst, None);
        }
    }

    #[test]
    fn a_column_gives_its_order_away() {
        assert_eq!(evidence("25/12/2014"), Some(Order::DayFirst));
        assert_eq!(evidence("12/25/2014"), Some(Order::MonthFirst));
        assert_eq!(evidence("03/04/2014"), None);
        assert_eq!(evidence("2014-12-25"), None);
    }
}
