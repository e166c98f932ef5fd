//! Random users and tokens; few names and few hashes, so that they meet.

use super::Draw;
use crate::samples::user;
use predis_meta::{Action, NewToken, NewUser, UserRole};

const ROLES: [UserRole; 4] = [UserRole::ReadOnly, UserRole::ReadWrite, UserRole::Operator, UserRole::Admin];

fn role(draw: &mut Draw<'_>) -> UserRole {
    draw.pick(&ROLES).unwrap()
}

fn token(draw: &mut Draw<'_>, at_ms: u64) -> NewToken {
    let end = (at_ms + draw.below(30_000)).saturating_sub(2000);
    let (id, hash) = (draw.name("k"), format!("{:064x}", draw.below(40)));
    NewToken { id, hash, expires_at_ms: Some(end).filter(|_| draw.rarely(2)) }
}

/// Makes a cluster's first users such as must be refused, now and then.
pub fn spoil(draw: &mut Draw<'_>, users: &mut Vec<NewUser>) {
    match draw.below(12) {
        0 => users.extend(users.clone()),
        1 => users[0].tenant.0 = 1,
        2 => users.extend((0..16).map(|number| user(&format!("u{number}"), 0, UserRole::ReadOnly, vec![]))),
        _ => {}
    }
}

pub fn users(draw: &mut Draw<'_>, at_ms: u64) -> Action {
    let name = draw.name("u");
    match draw.below(9) {
        0..=2 => {
            let (tenant, role, count) = (draw.tenant(), role(draw), draw.below(3));
            let tokens = (0..count).map(|_| token(draw, at_ms)).collect();
            Action::CreateUser { user: NewUser { name, tenant, role, tokens } }
        }
        3 => {
            let role = Some(role(draw)).filter(|_| draw.rarely(2));
            Action::UpdateUser { name, role, enabled: Some(draw.rarely(2)).filter(|_| draw.rarely(2)) }
        }
        4 => Action::RemoveUser { name },
        5..=7 => {
            let others = (at_ms + draw.below(30_000)).saturating_sub(2000);
            let others_expire_at_ms = Some(others).filter(|_| draw.rarely(2));
            Action::AddToken { user: name, token: token(draw, at_ms), others_expire_at_ms }
        }
        _ => Action::RevokeToken { user: name, id: draw.name("k") },
    }
}
