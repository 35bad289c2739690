//! How people go: with a good-bye, without a word, or so that nobody notices at first.

use std::cmp::Reverse;
use std::os::fd::AsFd;

use anyhow::Result;
use rustix::event::epoll;

use super::super::person::Stage;
use super::acting::{COME_BACK, SOON};
use super::{Action, Player};
use crate::client::{Client, Ended, GOOD_BYE};
use crate::clock;

/// Of the phones that sleep, those whose connection stays half open: the network still has it, and nobody reads it or
/// answers its pings. Of the others the network says that they are gone. Assumption.
const HALF_OPEN: f64 = 1.0 / 3.0;

impl Player {
    /// Goes, if there is no reason to stay. What is not stored yet is waited for.
    pub(super) fn leave(&mut self, number: usize) -> Result<()> {
        let person = &mut self.people[number];
        if person.wanted > 0 || matches!(person.stage, Stage::Away | Stage::Closing) {
            return Ok(());
        }
        if !person.is_done() || person.stage != Stage::Live {
            self.due.push(Reverse((clock::now() + SOON, Action::Go(number))));
            return Ok(());
        }
        if person.to_come == 0 {
            self.close(number);
            return Ok(());
        }
        let client = person.client.take();
        self.is_away(number);
        let Some(client) = client else { return Ok(()) };
        epoll::delete(&self.epoll, client.socket().as_fd())?;
        if self.draw.share() < HALF_OPEN {
            self.told.left_half_open += 1;
            self.people[number].half_open = Some(client);
        } else {
            self.told.left_by_reset += 1;
            client.cut();
        }
        Ok(())
    }

    /// Says good-bye: they do not come again today.
    fn close(&mut self, number: usize) {
        let person = &mut self.people[number];
        person.stage = Stage::Closing;
        let said = person.client.as_mut().map_or(Ok(()), Client::close);
        self.is_not_present(number);
        if let Err(why) = said {
            self.on_end(number, &why);
        }
    }

    /// The connection has ended by itself, or at the end of a good-bye.
    pub(super) fn on_end(&mut self, number: usize, why: &Ended) {
        match (self.people[number].stage, why) {
            (Stage::Closing, Ended::Closed { code: GOOD_BYE, .. }) => self.told.left_with_close_frame += 1,
            (stage, why) => {
                if self.told.failed + self.told.closed < 3 {
                    eprintln!("samtale-loadtest: a connection ended: {why}");
                }
                match stage {
                    Stage::Live | Stage::Closing => self.told.closed += 1,
                    _ => self.told.failed += 1,
                }
            }
        }
        self.is_away(number);
        // Also who has no reason to be there any more has an outbox, perhaps.
        if !self.people[number].outbox.is_empty() && self.people[number].wanted == 0 {
            self.comes(clock::now() + COME_BACK, number);
            self.due
                .push(Reverse((clock::now() + 2 * COME_BACK, Action::Leave(number))));
        }
        self.due
            .push(Reverse((clock::now() + COME_BACK, Action::Again(number))));
    }

    /// Nothing of a connection is left.
    pub(super) fn is_away(&mut self, number: usize) {
        let person = &mut self.people[number];
        person.stage = Stage::Away;
        person.forget_under_way();
        // A closed descriptor leaves the epoll by itself.
        person.client = None;
        self.open = self.open.saturating_sub(1);
        self.is_not_present(number);
    }

    fn is_not_present(&mut self, number: usize) {
        let present = &mut self.present[self.cast.people[number].side()];
        present.retain(|person| *person != number);
    }
}
