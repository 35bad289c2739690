//! Lists, page by page.

use samtale_protocol::messages::{History, HistoryPage};
use samtale_protocol::people::{Groups, ListPeople, Person, Withheld};
use samtale_protocol::threads::{Inbox, InboxEntry, OpenThread, ThreadDetails};
use samtale_protocol::{MessageId, Reply, Request, SpaceId, ThreadId, limits};

use super::{Session, ask};
use crate::failure::Failure;

/// A list gathered from its pages.
pub struct Gathered<T> {
    /// The things.
    pub items: Vec<T>,
    /// What is not shown, and why.
    pub withheld: Vec<Withheld>,
}

impl Session {
    /// One's threads, latest activity first, up to `limit`.
    pub async fn inbox(&mut self, limit: usize) -> Result<Gathered<InboxEntry>, Failure> {
        let mut all = Gathered {
            items: Vec::new(),
            withheld: Vec::new(),
        };
        let mut before = None;
        while all.items.len() < limit {
            let page_limit = page_limit(limit - all.items.len());
            let page = ask!(
                self,
                Request::Inbox(Inbox {
                    space: None,
                    before,
                    search: None,
                    limit: page_limit
                }),
                Reply::Inbox
            )?;
            before = page.entries.last().map(|entry| entry.last_message);
            add_withheld(&mut all.withheld, &page.withheld);
            all.items.extend(page.entries);
            if !page.more || before.is_none() {
                break;
            }
        }
        Ok(all)
    }

    /// The newest messages of a thread before `before`, oldest first, up to `limit`.
    pub async fn history(
        &mut self,
        thread: ThreadId,
        mut before: Option<MessageId>,
        limit: usize,
    ) -> Result<HistoryPage, Failure> {
        let mut all = HistoryPage {
            messages: Vec::new(),
            more: true,
            withheld: Vec::new(),
        };
        while all.messages.len() < limit && all.more {
            let limit = page_limit(limit - all.messages.len());
            let page = ask!(
                self,
                Request::History(History {
                    thread,
                    before,
                    after: None,
                    limit
                }),
                Reply::History
            )?;
            before = page.messages.first().map(|message| message.message);
            all.more = page.more && before.is_some();
            add_withheld(&mut all.withheld, &page.withheld);
            all.messages.splice(0..0, page.messages);
        }
        Ok(all)
    }

    /// The people of a space whose names contain `search`.
    pub async fn people(&mut self, space: SpaceId, search: Option<&str>) -> Result<Gathered<Person>, Failure> {
        let mut all = Gathered {
            items: Vec::new(),
            withheld: Vec::new(),
        };
        let mut after = None;
        loop {
            let search = search.map(str::to_owned);
            let list = ListPeople {
                as_profile: None,
                space,
                group: None,
                search,
                after,
                limit: page_limit(usize::MAX),
            };
            let page = ask!(self, Request::ListPeople(list), Reply::People)?;
            after = page.people.last().map(|person| person.profile);
            add_withheld(&mut all.withheld, &page.withheld);
            all.items.extend(page.people);
            if !page.more || after.is_none() {
                return Ok(all);
            }
        }
    }

    /// The groups of a space.
    pub async fn groups(&mut self, space: SpaceId) -> Result<Groups, Failure> {
        ask!(self, Request::ListGroups { space }, Reply::Groups)
    }

    /// A thread with all its members.
    pub async fn thread(&mut self, thread: ThreadId) -> Result<ThreadDetails, Failure> {
        let mut all = ask!(
            self,
            Request::OpenThread(OpenThread { thread, after: None }),
            Reply::Thread
        )?;
        while all.more {
            let after = all.members.last().map(|member| member.profile);
            let page = ask!(self, Request::OpenThread(OpenThread { thread, after }), Reply::Thread)?;
            all.more = page.more && !page.members.is_empty();
            add_withheld(&mut all.withheld, &page.withheld);
            all.members.extend(page.members);
        }
        Ok(all)
    }
}

fn page_limit(wanted: usize) -> u32 {
    u32::try_from(wanted.min(limits::PAGE)).unwrap_or(1)
}

/// Each page counts for the whole list, so the largest count of a reason is the count.
fn add_withheld(all: &mut Vec<Withheld>, of_page: &[Withheld]) {
    for withheld in of_page {
        match all.iter_mut().find(|known| known.reason == withheld.reason) {
            Some(known) => known.count = known.count.max(withheld.count),
            None => all.push(*withheld),
        }
    }
}
