//! What the leader does for the cluster: judges leases, places partitions, chooses voters.
//!
//! ```text
//! renewals --> Desk (Grantor) --overdue--> NodeDown --+
//!                                                     v
//! agreed state --> plan (pure) --> Place commands, and moves handed out with the leases
//!              --> voters (pure) -> Raft membership
//! ```
//! Runs on every member and acts only while it leads. All that it decides is committed as data.

mod desk;
mod members;
mod plan;
mod rounds;
mod survey;
#[cfg(test)]
mod tests;
mod unheard;

pub use desk::{Desk, Move, RenewAnswer};
pub use plan::{Intentions, Plan, is_settled, plan};
pub use survey::{Answered, Has, ask_all};

use crate::{config::Profile, regions};
use predis_meta::{Action, MetaCommand, limits::CHANGES_PER_COMMAND};
use predis_raft::{Leadership, MetaRaft, Published};
use predis_types::{Clock, Incarnation, NodeId};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// How long a leader is silent that lets another one lead: longer than voters stand by it and then take to elect.
const SILENCE: Duration = Duration::from_secs(4);

/// How long survivors of a primary may take to say what they have.
const SURVEY: Duration = Duration::from_millis(250);

/// In whose name the supervisor proposes.
const ACTOR: &str = "supervisor";

/// The supervisor of one member.
pub struct Supervisor {
    meta: MetaRaft,
    desk: Arc<Desk>,
    clock: Arc<dyn Clock>,
    profile: Profile,
    members: members::Members,
    // The term in which it decides.
    term: u64,
    intentions: Intentions,
    // The index of the state that was last planned from, and found in order.
    settled: Option<u64>,
}

impl Supervisor {
    /// A supervisor that shares the desk with the gRPC service.
    pub fn new(meta: MetaRaft, desk: Arc<Desk>, clock: Arc<dyn Clock>, profile: Profile) -> Supervisor {
        let members = members::Members::new(profile.replace_voter, profile.propose / 4);
        Supervisor {
            meta,
            desk,
            clock,
            profile,
            members,
            term: 0,
            intentions: Intentions::default(),
            settled: None,
        }
    }

    /// Supervises for as long as the member runs.
    pub async fn run(mut self) {
        let mut leadership = Leadership::default();
        loop {
            let now = self.meta.leadership();
            if now != leadership {
                leadership = now;
                self.desk.lead(leadership.is_me.then_some(leadership.term));
                self.term = leadership.term;
                self.members.forget();
                self.intentions = Intentions::default();
                self.settled = None;
            }
            if leadership.is_me {
                self.tend().await;
                tokio::time::sleep(self.profile.supervise).await;
            } else {
                // Nothing to do until leadership changes.
                self.meta.leadership_changed(leadership).await;
            }
        }
    }

    async fn tend(&mut self) {
        let published = self.meta.published();
        let overdue = self.desk.judge().await;
        for (node, incarnation) in overdue {
            if !self.give_up_on(node, incarnation).await {
                return;
            }
        }
        if self.desk.is_unheard() {
            self.give_way().await;
            return;
        }
        self.members.tend(&self.meta, &published, self.clock.mono_us()).await;
        self.dismiss().await;
        // Before the waiting time is over it is not known who is alive.
        let published = self.meta.published();
        if self.desk.may_judge() && self.settled != Some(published.index) {
            self.place(&published).await;
        }
    }

    /// Lets another member lead, whom the others can reach. If none does, this one leads on as if just elected.
    async fn give_way(&self) {
        tracing::warn!("members follow this leader and cannot reach it: it lets another one lead");
        self.desk.lead(None);
        if !self.meta.let_others_lead(SILENCE).await {
            self.desk.lead(Some(self.term));
        }
    }

    /// Commits that a node is dead; false when that did not work, and nothing else will.
    async fn give_up_on(&mut self, node: NodeId, incarnation: Incarnation) -> bool {
        tracing::warn!(%node, %incarnation, "lease ran out: the node is taken to be dead");
        let proposed = self.propose(Action::NodeDown { node, incarnation }).await;
        if let Err(error) = &proposed {
            tracing::warn!(%node, %error, "cannot commit that a node is down");
        }
        proposed.is_ok()
    }

    /// Ends the membership of those that are leaving, once they hold neither a seat nor a vote.
    async fn dismiss(&self) {
        let state = self.meta.published().state;
        let (voters, known) = self.meta.members();
        let leader = self.meta.leadership().leader;
        let departing = state.nodes().values().filter(|member| members::is_departing(&state, member));
        for member in departing {
            // One that is up must be able to hear of it.
            let hears = known.contains(&member.id) || !member.is_up();
            if !hears || voters.contains(&member.id) || self.meta.is_joint() || leader == Some(member.id) {
                continue;
            }
            tracing::info!(node = %member.id, name = member.name, "the node has left");
            if let Err(error) = self.propose(Action::RemoveNode { node: member.id }).await {
                tracing::info!(node = %member.id, %error, "its membership is ended later");
            }
        }
    }

    async fn place(&mut self, published: &Published) {
        self.intentions.found =
            survey::survey(&self.meta, published, SURVEY + 4 * self.profile.round_trip).await;
        self.warn_of_spared();
        let Plan { changes, moves } = plan(&published.state, &mut self.intentions);
        // Nobody gives away what is about to be seated elsewhere: the two would refuse each other, and where the
        // partition ends would depend on which came first.
        let seated = changes.is_empty();
        self.desk.hand_out(if seated { moves } else { BTreeMap::new() });
        if seated {
            self.settled = Some(published.index);
            return;
        }
        for chunk in changes.chunks(CHANGES_PER_COMMAND) {
            match self.propose(Action::Place { changes: chunk.to_vec() }).await {
                Ok(lost) if lost > 0 => tracing::warn!(lost, "partitions were lost and start anew, empty"),
                Ok(_) => {}
                Err(error) => {
                    tracing::info!(%error, "placement is computed again");
                    return;
                }
            }
        }
    }

    /// Says that partitions wait for somebody to decide, whenever it is found out anew.
    fn warn_of_spared(&self) {
        let spared = self.intentions.found.spared.len();
        if spared > 0 {
            tracing::warn!(
                partitions = spared,
                "nobody in sync is left, only copies that nobody waited for: predis ctl cluster recover decides"
            );
        }
    }

    /// Proposes once, in the term in which it was decided: another leader may have granted what this one took to
    /// be over. How many partitions were lost by it.
    async fn propose(&self, action: Action) -> Result<usize, predis_raft::ProposeError> {
        let now = self.meta.published();
        // A partition that begins empty must not pass for one that was recovered.
        let at_ms = (self.clock.wall_ms()..).find(|at_ms| !regions::is_recovery(&now.state, *at_ms));
        let command = MetaCommand { at_ms: at_ms.unwrap_or_default(), actor: ACTOR.to_owned(), action };
        let agreed = self.meta.propose_in_term(&command, self.term, self.profile.propose).await?;
        Ok(match agreed.outcome {
            predis_meta::Outcome::Placed { lost } => lost.len(),
            _ => 0,
        })
    }
}
