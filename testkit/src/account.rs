//! The unprivileged account that runs the server when we are root.

use std::fs;

use crate::Error;

/// User and group of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl Account {
    /// `postgres`, or else `nobody`.
    pub(crate) fn unprivileged() -> Result<Self, Error> {
        let passwd = fs::read_to_string("/etc/passwd").map_err(Error::io("read /etc/passwd"))?;
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| Self::named(&passwd, name))
            .ok_or(Error::NoAccount)
    }

    /// The account `name` in the text of /etc/passwd; root under another name is no help.
    fn named(passwd: &str, name: &str) -> Option<Self> {
        passwd.lines().find_map(|line| {
            let mut fields = line.split(':');
            if fields.next() != Some(name) {
                return None;
            }
            let uid = fields.nth(1)?.parse().ok()?;
            let gid = fields.next()?.parse().ok()?;
            (uid != 0).then_some(Self { uid, gid })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_whole_name() {
        let passwd =
            "root:x:0:0::/:/bin/sh\npostgres2:x:7:7:::\npostgres:x:101:104:a,b:/var:/bin/bash\n";
        assert_eq!(
            Account::named(passwd, "postgres"),
            Some(Account { uid: 101, gid: 104 })
        );
        assert_eq!(Account::named(passwd, "nobody"), None);
        assert_eq!(Account::named(passwd, "root"), None);
    }
}
