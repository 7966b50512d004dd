//! Which listeners a worker serves.

use crate::Error;
use crate::error::Kind;
use crate::generated::{FilterValue, ListenerSpec};

/// Checks the names of [`Worker::only`](super::Worker::only) against the listeners that are there.
pub(super) fn check_names(only: &[String], specs: &[ListenerSpec]) -> Result<(), Error> {
    for name in only {
        if !specs.iter().any(|spec| is_named(spec, name)) {
            let names = specs
                .iter()
                .flat_map(|spec| spec.channels().chain([spec.name, spec.group]));
            let hint = match nearest(name, names) {
                Some(nearest) => format!("; did you mean `{nearest}`?"),
                None => String::new(),
            };
            return Err(Error::new(
                Kind::Options,
                format!("no listener, channel or group is called `{name}`{hint}"),
            ));
        }
    }
    Ok(())
}

/// Whether a listener is to be served.
pub(super) fn is_selected(only: &[String], spec: &ListenerSpec) -> bool {
    only.is_empty() || only.iter().any(|name| is_named(spec, name))
}

fn is_named(spec: &ListenerSpec, name: &str) -> bool {
    spec.channels()
        .chain([spec.name, spec.group])
        .any(|known| known == name)
}

/// The filter with the values of this process.
pub(super) fn filter(spec: &ListenerSpec) -> Result<Vec<(String, String)>, Error> {
    let pair = |filter: &crate::generated::ContextFilter| {
        let value = match filter.value {
            FilterValue::Literal(value) => value.to_owned(),
            FilterValue::Environment(variable) => std::env::var(variable).map_err(|_| {
                Error::new(
                    Kind::Options,
                    format!(
                        "listener `{}` filters by the environment variable {variable}, which is not set: set it, or do not serve this listener",
                        spec.name
                    ),
                )
            })?,
        };
        Ok((filter.key.to_owned(), value))
    };
    spec.filter.iter().map(pair).collect()
}

/// The name with the least edits, if they are few.
fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let distances =
        names.map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate));
    distances
        .min()
        .filter(|(edits, candidate)| edits * 3 <= candidate.len().max(3))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_near() {
        let names = ["create_first_post", "count_reads"];
        assert_eq!(
            nearest("count_read", names.into_iter()),
            Some("count_reads")
        );
        assert_eq!(
            nearest("cuont_reads", names.into_iter()),
            Some("count_reads")
        );
        assert_eq!(nearest("something", names.into_iter()), None);
    }
}
