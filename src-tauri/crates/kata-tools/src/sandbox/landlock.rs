//! Landlock, with a filter of system calls for the network. Landlock allows and never takes away: what is hidden or guarded is
//! left out by allowing everything around it.
//!
//! Weaker than bubblewrap: names of hidden files can be listed (not read), processes outside can be seen, new files directly in
//! a folder that holds a guarded file cannot be made, and `.git` is not guarded.

use super::{Mount, Shut};
use crate::why::{Why, why};
use landlock::{
    ABI, Access, AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreated,
    RulesetCreatedAttr, RulesetStatus, Scope,
};
use seccompiler::{BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What is asked of the kernel; an older one gives what it has.
const WANTED: ABI = ABI::V6;
/// Folders deeper than this are not taken apart.
const DEEPEST: u32 = 32;

/// Whether the kernel can do it: tried on a thread of its own, which is thrown away.
pub(super) fn works() -> Result<(), Why> {
    let tried = std::thread::spawn(|| {
        bind(&Shut {
            mounts: Vec::new(),
            network: false,
            temporary: None,
        })
    });
    tried.join().unwrap_or_else(|_| Err("Landlock could not be tried".into()))
}

/// Shuts this thread in.
pub(super) fn bind(shut: &Shut) -> Result<(), Why> {
    let failed = |e: &dyn std::fmt::Display| format!("Landlock does not work: {e}");
    let all = AccessFs::from_all(WANTED);
    let read = AccessFs::ReadFile | AccessFs::Execute;
    let ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1))
        .map_err(|e| failed(&e))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(all)
        .map_err(|e| failed(&e))?
        .scope(Scope::from_all(WANTED))
        .map_err(|e| failed(&e))?;
    let mut rules = ruleset.create().map_err(|e| failed(&e))?;
    // Names everywhere, then contents of everything that is not hidden.
    rules = allow(rules, Path::new("/"), AccessFs::ReadDir.into())?;
    let hidden: Vec<&Path> = shut
        .mounts
        .iter()
        .filter(|m| matches!(m, Mount::Hide(_)))
        .map(Mount::path)
        .collect();
    rules = around(rules, Path::new("/"), &hidden, read, 0)?;
    for (n, mount) in shut.mounts.iter().enumerate() {
        // What a later layer takes back.
        let later: Vec<&Path> = shut
            .mounts
            .iter()
            .skip(n + 1)
            .filter(|m| matches!(m, Mount::Hide(_) | Mount::Guard(_) | Mount::Read(_)))
            .map(Mount::path)
            .collect();
        rules = match mount {
            Mount::Read(path) => around(rules, path, &hides_below(&shut.mounts, n), read, 0)?,
            Mount::Write(path) => around(rules, path, &later, all, 0)?,
            Mount::Hide(_) | Mount::Guard(_) | Mount::GuardIfPossible(_) => rules,
        };
    }
    for device in ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"] {
        rules = allow(rules, Path::new(device), read | AccessFs::WriteFile)?;
    }
    if let Some(folder) = &shut.temporary {
        rules = allow(rules, folder, all)?;
    }
    let status = rules.restrict_self().map_err(|e| failed(&e))?;
    if status.ruleset == RulesetStatus::NotEnforced {
        return Err("Landlock is not in this kernel".into());
    }
    if !shut.network {
        no_sockets().map_err(|e| why(format!("the network could not be shut: {e}")))?;
    }
    Ok(())
}

/// What is hidden behind layer `n`.
fn hides_below(mounts: &[Mount], n: usize) -> Vec<&Path> {
    mounts
        .iter()
        .skip(n + 1)
        .filter(|m| matches!(m, Mount::Hide(_)))
        .map(Mount::path)
        .collect()
}

/// Allows a path whole, or where something in it is left out, what stands beside that.
fn around(mut rules: RulesetCreated, path: &Path, out: &[&Path], access: BitFlags<AccessFs>, depth: u32) -> Result<RulesetCreated, Why> {
    if out.iter().any(|hidden| path.starts_with(hidden)) || depth > DEEPEST {
        return Ok(rules);
    }
    if !out.iter().any(|hidden| hidden.starts_with(path)) {
        return allow(rules, path, access);
    }
    let Ok(entries) = std::fs::read_dir(path) else { return Ok(rules) };
    let children: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    for child in children {
        let is_link = std::fs::symlink_metadata(&child).is_ok_and(|meta| meta.file_type().is_symlink());
        if !is_link {
            rules = around(rules, &child, out, access, depth + 1)?;
        }
    }
    Ok(rules)
}

fn allow(rules: RulesetCreated, path: &Path, access: BitFlags<AccessFs>) -> Result<RulesetCreated, Why> {
    // What is not there, or may not be opened, needs no rule.
    let Ok(fd) = PathFd::new(path) else { return Ok(rules) };
    let access = if path.is_dir() {
        access
    } else {
        access & AccessFs::from_file(WANTED)
    };
    rules
        .add_rule(PathBeneath::new(fd, access))
        .map_err(|e| why(format!("Landlock does not take {}: {e}", path.display())))
}

/// Numbers of system calls: `socket`, and `io_uring_setup`, which opens sockets without it.
#[cfg(target_arch = "x86_64")]
const SOCKET_CALLS: &[i64] = &[41, 41 | X32, 425, 425 | X32];
#[cfg(target_arch = "x86_64")]
const X32: i64 = 0x4000_0000;
#[cfg(target_arch = "aarch64")]
const SOCKET_CALLS: &[i64] = &[198, 425];
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const SOCKET_CALLS: &[i64] = &[];

/// No socket of any family can be made by this thread and what it starts.
fn no_sockets() -> Result<(), Why> {
    if SOCKET_CALLS.is_empty() {
        return Err("not on this processor".into());
    }
    let always = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ge, 0).map_err(|e| why(e.to_string()))?;
    let rule = SeccompRule::new(vec![always]).map_err(|e| why(e.to_string()))?;
    let rules: BTreeMap<i64, Vec<SeccompRule>> = SOCKET_CALLS.iter().map(|call| (*call, vec![rule.clone()])).collect();
    let arch = std::env::consts::ARCH
        .try_into()
        .map_err(|e: seccompiler::BackendError| e.to_string())?;
    let permission_denied = SeccompAction::Errno(13);
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, permission_denied, arch).map_err(|e| why(e.to_string()))?;
    let program: BpfProgram = filter.try_into().map_err(|e: seccompiler::BackendError| e.to_string())?;
    seccompiler::apply_filter(&program).map_err(|e| why(e.to_string()))
}
