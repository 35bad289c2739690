//! The figures of the nation. Each says where it is from; what nobody publishes is marked as an assumption.

/// Everyone with something to do on Aula: "around 2 million" (kombit.dk).
pub const PEOPLE: usize = 2_000_000;
/// Municipalities of Denmark.
pub const MUNICIPALITIES: usize = 98;
/// Schools and daycares on Aula (jv.dk, 2018).
pub const INSTITUTIONS: usize = 4_200;
/// Schools among the institutions. There are about 1,050 municipal schools.
pub const SCHOOLS: f64 = 0.25;
/// Assumption: how far the sizes of municipalities lie apart, as the sigma of a log-normal. With it the largest of 98 is
/// some ten times the middle one, as Copenhagen is.
pub const MUNICIPALITY_SPREAD: f64 = 0.75;
/// Assumption: the same for institutions of one kind in a municipality.
pub const INSTITUTION_SPREAD: f64 = 0.45;
/// Children start school in the year in which they become six, and leave after the ninth class.
pub const SCHOOL_AGE: u8 = 6;
/// The ages of children: from the first year in daycare to the ninth class.
pub const AGES: std::ops::RangeInclusive<u8> = 1..=15;
/// A class is full at 22: schools have 21 in the middle, and 28 are the most by law (folkeskoleloven, section 17).
pub const CLASS: usize = 22;
/// Assumption: children of a room below three years, and from three on.
pub const ROOM: (usize, usize) = (12, 22);
/// From this age on children use the platform themselves. Assumption: from the fourth class.
pub const USES_IT_FROM: u8 = 10;
/// Families by the number of their children of these ages. Assumption, near Statistics Denmark's families with children.
pub const CHILDREN: [f64; 4] = [0.45, 0.40, 0.12, 0.03];
/// Children by the number of their guardians on the platform: parents, and new partners with a right to be contacted.
/// Assumption; about one child in six lives with one parent, of whom many share custody.
pub const GUARDIANS: [f64; 4] = [0.12, 0.82, 0.04, 0.02];
/// Children per member of staff: teachers and pedagogues of a school, and those of a daycare (minimum standards of 2024
/// are 3 below the age of three and 6 above).
pub const CHILDREN_PER_STAFF: (f64, f64) = (9.0, 4.0);
/// Staff of a class or room: assumption.
pub const STAFF_PER_GROUP: usize = 3;

/// People per child, which the figures above come to: the child, its share of guardians, its share of staff.
pub fn people_per_child() -> f64 {
    let mean = |shares: [f64; 4]| {
        shares
            .iter()
            .zip([1.0, 2.0, 3.0, 4.0])
            .map(|(share, count)| share * count)
            .sum::<f64>()
    };
    let of_school = f64::from(*AGES.end() - SCHOOL_AGE + 1) / f64::from(*AGES.end() - *AGES.start() + 1);
    let staff = of_school / CHILDREN_PER_STAFF.0 + (1.0 - of_school) / CHILDREN_PER_STAFF.1;
    1.0 + mean(GUARDIANS) / mean(CHILDREN) + staff
}
