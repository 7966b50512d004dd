//! `pgpubsub-gen explain`.

use crate::diagnostic::{Code, nearest};

use super::{OK, output};

pub(super) fn run(code: Option<&str>) -> anyhow::Result<u8> {
    let Some(wanted) = code else {
        for code in Code::ALL {
            output::line(&format!("{}  {}", code.as_str(), code.title()))?;
        }
        return Ok(OK);
    };
    let found = Code::ALL
        .iter()
        .find(|code| code.as_str().eq_ignore_ascii_case(wanted));
    let Some(code) = found else {
        let all = Code::ALL.iter().map(|code| code.as_str());
        let hint = match nearest(wanted, all) {
            Some(near) => format!("did you mean {near}? "),
            None => String::new(),
        };
        anyhow::bail!(
            "there is no code `{wanted}`; {hint}`pgpubsub-gen explain` lists all of them"
        );
    };
    output::line(&format!("{}\n\n{}", code.as_str(), code.explanation()))?;
    Ok(OK)
}
