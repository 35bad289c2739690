//! The difference between the rows that a roster wants and those that are there.

use super::report::{Counts, Report};

/// What is to become of the rows of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference<K, R> {
    /// Rows that end, as they stay.
    pub ended: Vec<(K, R)>,
    /// Rows that are there and become this.
    pub changed: Vec<(K, R)>,
    /// Rows that are new, or had ended.
    pub added: Vec<(K, R)>,
    /// Rows that are as they should be.
    pub unchanged: u64,
}

impl<K, R> Default for Difference<K, R> {
    fn default() -> Self {
        Self {
            ended: Vec::new(),
            changed: Vec::new(),
            added: Vec::new(),
            unchanged: 0,
        }
    }
}

impl<K, R: PartialEq> Difference<K, R> {
    /// Takes in a row that the roster wants; of one that is there, whether it still counts.
    pub fn want(&mut self, key: K, wanted: R, there: Option<(&R, bool)>) {
        match there {
            Some((there, _)) if *there == wanted => self.unchanged += 1,
            Some((_, true)) => self.changed.push((key, wanted)),
            Some((_, false)) | None => self.added.push((key, wanted)),
        }
    }

    /// Takes in a row that the roster no longer wants, as it is to stay.
    pub fn end(&mut self, key: K, ended: R) {
        self.ended.push((key, ended));
    }

    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.ended.is_empty() && self.changed.is_empty() && self.added.is_empty()
    }

    /// All rows that are written.
    pub fn rows(&self) -> impl Iterator<Item = &(K, R)> {
        self.ended.iter().chain(&self.changed).chain(&self.added)
    }

    /// Adds these rows to a report.
    pub fn count(&self, report: &mut Report, kind: impl Fn(&mut Counts) -> &mut u64) {
        *kind(&mut report.added) += self.added.len() as u64;
        *kind(&mut report.changed) += self.changed.len() as u64;
        *kind(&mut report.removed) += self.ended.len() as u64;
        *kind(&mut report.unchanged) += self.unchanged;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_had_ended_is_new_again_and_an_equal_one_is_left_alone() {
        let mut rows = Difference::default();
        rows.want(1, "a", None);
        rows.want(2, "a", Some((&"a", true)));
        rows.want(3, "b", Some((&"a", true)));
        rows.want(4, "a", Some((&"ended", false)));
        rows.want(5, "ended", Some((&"ended", false)));
        rows.end(6, "ended");
        let keys = |rows: &[(i32, &str)]| rows.iter().map(|(key, _)| *key).collect::<Vec<_>>();
        assert_eq!(keys(&rows.added), [1, 4]);
        assert_eq!(keys(&rows.changed), [3]);
        assert_eq!(keys(&rows.ended), [6]);
        assert_eq!(rows.unchanged, 2);
    }
}
