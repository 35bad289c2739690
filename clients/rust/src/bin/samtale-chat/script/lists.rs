//! Commands that list: a line per thing, and a last one that counts what is withheld, if anything is.

use std::collections::BTreeSet;

use samtale_protocol::{SpaceId, ThreadId};

use super::{print, print_withheld};
use crate::failure::Failure;
use crate::session::Session;

/// One's threads, latest activity first.
pub async fn threads(session: &mut Session, limit: Option<u32>) -> Result<(), Failure> {
    let limit = limit.map_or(usize::MAX, |limit| limit as usize);
    let threads = session.inbox(limit).await?;
    threads.items.iter().try_for_each(print)?;
    print_withheld(&threads.withheld)
}

/// The newest messages of a thread, oldest first.
pub async fn history(session: &mut Session, thread: ThreadId, limit: u32) -> Result<(), Failure> {
    let page = session.history(thread, None, limit as usize).await?;
    page.messages.iter().try_for_each(print)?;
    print_withheld(&page.withheld)
}

/// The people one may see, in each of one's spaces.
pub async fn people(session: &mut Session, search: Option<&str>) -> Result<(), Failure> {
    for space in spaces(session) {
        let people = session.people(space, search).await?;
        people.items.iter().try_for_each(print)?;
        print_withheld(&people.withheld)?;
    }
    Ok(())
}

/// The groups one may see, in each of one's spaces.
pub async fn groups(session: &mut Session) -> Result<(), Failure> {
    for space in spaces(session) {
        let groups = session.groups(space).await?;
        groups.groups.iter().try_for_each(print)?;
        print_withheld(&groups.withheld)?;
    }
    Ok(())
}

/// The members of a thread.
pub async fn members(session: &mut Session, thread: ThreadId) -> Result<(), Failure> {
    let details = session.thread(thread).await?;
    details.members.iter().try_for_each(print)?;
    print_withheld(&details.withheld)
}

fn spaces(session: &Session) -> BTreeSet<SpaceId> {
    session.profiles().iter().map(|own| own.space).collect()
}
