//! The closed lists of words that OneRoster uses (the enumerations of 1EdTech's OneRoster 1.1 and 1.2), and the other words people
//! write for them.

use super::word::Word;

/// Whether a record is to be kept (OneRoster `StatusType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// In force. In a bulk file, an empty status means this.
    Active,
    /// To be removed: access ends, words stay. `inactive`, which OneRoster 1.0 had beside it, is taken as this.
    ToBeDeleted,
}

impl Word for Status {
    const LIST: &'static str = "a status";
    const OFFICIAL: &'static [(&'static str, Self)] = &[("active", Self::Active), ("tobedeleted", Self::ToBeDeleted)];
    const OTHER: &'static [(&'static str, Self)] = &[
        ("inactive", Self::ToBeDeleted),
        ("deleted", Self::ToBeDeleted),
        ("aktiv", Self::Active),
        ("inaktiv", Self::ToBeDeleted),
        ("slettet", Self::ToBeDeleted),
        ("ophørt", Self::ToBeDeleted),
    ];
}

/// What someone is in an organisation (OneRoster 1.1 `RoleType`, 1.2 `RoleEnum`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Runs a school (1.1's word for it).
    Administrator,
    /// Helps: a pedagogue, an assistant, office staff.
    Aide,
    /// Advises pupils.
    Counselor,
    /// Runs a district, in Denmark a municipality (1.2).
    DistrictAdministrator,
    /// Has custody of a child, or acts for one who has.
    Guardian,
    /// A child's mother or father.
    Parent,
    /// Heads a school (1.2).
    Principal,
    /// Watches examinations.
    Proctor,
    /// Of a child's family, without custody.
    Relative,
    /// Runs one site (1.2).
    SiteAdministrator,
    /// A pupil, a child.
    Student,
    /// Runs the systems (1.2).
    SystemAdministrator,
    /// Teaches.
    Teacher,
}

impl Role {
    /// Cares for a child at home: the one end of a relation.
    pub fn is_guardian(self) -> bool {
        matches!(self, Self::Guardian | Self::Parent | Self::Relative)
    }

    /// Is a child: the other end of a relation.
    pub fn is_child(self) -> bool {
        self == Self::Student
    }

    /// Works there, administrators included.
    pub fn is_employee(self) -> bool {
        !self.is_guardian() && !self.is_child()
    }

    /// Runs the organisation the role is in: an institution or, with a role in a district, a municipality.
    pub fn is_administrator(self) -> bool {
        matches!(
            self,
            Self::Administrator
                | Self::DistrictAdministrator
                | Self::Principal
                | Self::SiteAdministrator
                | Self::SystemAdministrator
        )
    }
}

impl Word for Role {
    const LIST: &'static str = "a role";
    const OFFICIAL: &'static [(&'static str, Self)] = &[
        ("administrator", Self::Administrator),
        ("aide", Self::Aide),
        ("counselor", Self::Counselor),
        ("districtAdministrator", Self::DistrictAdministrator),
        ("guardian", Self::Guardian),
        ("parent", Self::Parent),
        ("principal", Self::Principal),
        ("proctor", Self::Proctor),
        ("relative", Self::Relative),
        ("siteAdministrator", Self::SiteAdministrator),
        ("student", Self::Student),
        ("systemAdministrator", Self::SystemAdministrator),
        ("teacher", Self::Teacher),
    ];
    const OTHER: &'static [(&'static str, Self)] = &[
        ("admin", Self::Administrator),
        ("leder", Self::Principal),
        ("skoleleder", Self::Principal),
        ("counsellor", Self::Counselor),
        ("vejleder", Self::Counselor),
        ("employee", Self::Aide),
        ("medarbejder", Self::Aide),
        ("pædagog", Self::Aide),
        ("paedagog", Self::Aide),
        ("lærer", Self::Teacher),
        ("laerer", Self::Teacher),
        ("elev", Self::Student),
        ("barn", Self::Student),
        ("child", Self::Student),
        ("pupil", Self::Student),
        ("learner", Self::Student),
        ("forælder", Self::Parent),
        ("mor", Self::Parent),
        ("mother", Self::Parent),
        ("far", Self::Parent),
        ("father", Self::Parent),
        ("værge", Self::Guardian),
        ("kontaktperson", Self::Guardian),
    ];
}

/// What an organisation is (OneRoster `OrgType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrganisationType {
    /// A part of a school.
    Department,
    /// A school or another institution.
    School,
    /// A district: in Denmark a municipality.
    District,
    /// A local authority: in Denmark a municipality.
    Local,
    /// A state or region.
    State,
    /// A country.
    National,
}

impl Word for OrganisationType {
    const LIST: &'static str = "a type of organisation";
    const OFFICIAL: &'static [(&'static str, Self)] = &[
        ("department", Self::Department),
        ("school", Self::School),
        ("district", Self::District),
        ("local", Self::Local),
        ("state", Self::State),
        ("national", Self::National),
    ];
    const OTHER: &'static [(&'static str, Self)] = &[
        ("skole", Self::School),
        ("institution", Self::School),
        ("daginstitution", Self::School),
        ("afdeling", Self::Department),
        ("kommune", Self::District),
        ("municipality", Self::District),
        ("region", Self::State),
    ];
}

/// What a class is (OneRoster `ClassType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClassType {
    /// The class a child belongs to: 3.A.
    Homeroom,
    /// Anything else that meets: a subject, a team, an after-school club.
    Scheduled,
}

impl Word for ClassType {
    const LIST: &'static str = "a type of class";
    const OFFICIAL: &'static [(&'static str, Self)] = &[("homeroom", Self::Homeroom), ("scheduled", Self::Scheduled)];
    const OTHER: &'static [(&'static str, Self)] = &[
        ("klasse", Self::Homeroom),
        ("stamklasse", Self::Homeroom),
        ("årgang", Self::Scheduled),
        ("fag", Self::Scheduled),
        ("hold", Self::Scheduled),
        ("sfo", Self::Scheduled),
        ("team", Self::Scheduled),
    ];
}

/// What someone is in a class (OneRoster `RoleType` as enrollments use it).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EnrollmentRole {
    /// Runs it.
    Administrator,
    /// Helps in it.
    Aide,
    /// Watches its examinations.
    Proctor,
    /// Learns in it.
    Student,
    /// Teaches it.
    Teacher,
}

impl Word for EnrollmentRole {
    const LIST: &'static str = "a role in a class";
    const OFFICIAL: &'static [(&'static str, Self)] = &[
        ("administrator", Self::Administrator),
        ("aide", Self::Aide),
        ("proctor", Self::Proctor),
        ("student", Self::Student),
        ("teacher", Self::Teacher),
    ];
    const OTHER: &'static [(&'static str, Self)] = &[
        ("elev", Self::Student),
        ("barn", Self::Student),
        ("child", Self::Student),
        ("pupil", Self::Student),
        ("lærer", Self::Teacher),
        ("laerer", Self::Teacher),
        ("klasselærer", Self::Teacher),
        ("pædagog", Self::Aide),
        ("paedagog", Self::Aide),
    ];
}

/// What a stretch of time is (OneRoster `SessionType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SessionType {
    /// The time one set of marks is for.
    GradingPeriod,
    /// Half a school year.
    Semester,
    /// A school year.
    SchoolYear,
    /// A term.
    Term,
}

impl Word for SessionType {
    const LIST: &'static str = "a type of session";
    const OFFICIAL: &'static [(&'static str, Self)] = &[
        ("gradingPeriod", Self::GradingPeriod),
        ("semester", Self::Semester),
        ("schoolYear", Self::SchoolYear),
        ("term", Self::Term),
    ];
    const OTHER: &'static [(&'static str, Self)] = &[
        ("skoleår", Self::SchoolYear),
        ("skoleaar", Self::SchoolYear),
        ("halvår", Self::Semester),
    ];
}
