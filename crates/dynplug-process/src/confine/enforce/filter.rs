//! Lists of calls as programs of the kernel's filter, and their installation.

use super::calls::{Calls, Condition};
use seccompiler::{
    BackendError, BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, apply_filter, apply_filter_all_threads,
};

/// Refuses all calls but these.
pub(super) fn only(calls: &Calls) -> Result<BpfProgram, Error> {
    program(calls, SeccompAction::Errno(libc::EPERM as u32), SeccompAction::Allow)
}

/// Refuses these calls.
pub(super) fn without(calls: &Calls) -> Result<BpfProgram, Error> {
    program(calls, SeccompAction::Allow, SeccompAction::Errno(libc::EPERM as u32))
}

/// Answers these calls as a kernel does that hasn't got them. Of two filters that refuse, the one that was installed last says with
/// which error.
pub(super) fn absent(calls: &Calls) -> Result<BpfProgram, Error> {
    program(calls, SeccompAction::Allow, SeccompAction::Errno(libc::ENOSYS as u32))
}

/// Installs it for the calling thread and those that it starts.
pub(super) fn here(program: &BpfProgram) -> Result<(), Error> {
    apply_filter(program)
}

/// Installs it for all threads.
pub(super) fn everywhere(program: &BpfProgram) -> Result<(), Error> {
    apply_filter_all_threads(program)
}

fn program(calls: &Calls, others: SeccompAction, these: SeccompAction) -> Result<BpfProgram, Error> {
    let rules = calls
        .iter()
        .map(|(&call, ways)| {
            let ways = ways
                .iter()
                .map(|way| SeccompRule::new(way.iter().map(condition).collect::<Result<_, BackendError>>()?));
            Ok((call, ways.collect::<Result<_, BackendError>>()?))
        })
        .collect::<Result<_, BackendError>>()?;
    Ok(SeccompFilter::new(rules, others, these, std::env::consts::ARCH.try_into()?)?.try_into()?)
}

fn condition(condition: &Condition) -> Result<SeccompCondition, BackendError> {
    let Condition { argument, mask, value, wide } = *condition;
    let length = if wide { SeccompCmpArgLen::Qword } else { SeccompCmpArgLen::Dword };
    SeccompCondition::new(argument, length, SeccompCmpOp::MaskedEq(mask), value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::confine::enforce::calls;

    #[test]
    fn every_list_fits_the_kernels_filter() {
        for files in [true, false] {
            only(&calls::allowed(files)).unwrap();
            without(&calls::taken(files)).unwrap();
        }
        absent(&calls::absent()).unwrap();
    }
}
