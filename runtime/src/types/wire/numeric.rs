//! `numeric`: digits to the base of 10,000, the weight of the first one, a sign, and the scale of the text.

use bytes::{Buf, BufMut, BytesMut};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked};

use super::Boxed;
use crate::types::PgNumeric;

const POSITIVE: u16 = 0x0000;
const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const NEG_INFINITY: u16 = 0xF000;

impl<'a> FromSql<'a> for PgNumeric {
    fn from_sql(_: &Type, mut raw: &'a [u8]) -> Result<Self, Boxed> {
        if raw.len() < 8 {
            return Err("a numeric without its head".into());
        }
        let (count, weight, sign, scale) =
            (raw.get_u16(), raw.get_i16(), raw.get_u16(), raw.get_u16());
        if raw.len() != usize::from(count) * 2 {
            return Err("a numeric of another length than its head says".into());
        }
        let digits: Vec<u16> = raw
            .chunks_exact(2)
            .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
            .collect();
        let sign = match sign {
            POSITIVE => "",
            NEGATIVE => "-",
            NAN => return Ok(Self::from_trusted("NaN".into())),
            INFINITY => return Ok(Self::from_trusted("Infinity".into())),
            NEG_INFINITY => return Ok(Self::from_trusted("-Infinity".into())),
            _ => return Err("a numeric with an unknown sign".into()),
        };
        Ok(Self::from_trusted(format!(
            "{sign}{}",
            text(&digits, weight, scale)
        )))
    }

    accepts!(NUMERIC);
}

/// The digit that counts 10,000 to the power of `power`.
fn group(digits: &[u16], weight: i16, power: i32) -> u16 {
    let index = i32::from(weight) - power;
    usize::try_from(index)
        .ok()
        .and_then(|index| digits.get(index))
        .copied()
        .unwrap_or(0)
}

fn text(digits: &[u16], weight: i16, scale: u16) -> String {
    let mut whole = String::new();
    for power in (0..=i32::from(weight)).rev() {
        whole += &format!("{:04}", group(digits, weight, power));
    }
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    if scale == 0 {
        return whole.to_owned();
    }
    let mut fraction = String::new();
    for power in 1..=i32::from(scale.div_ceil(4)) {
        fraction += &format!("{:04}", group(digits, weight, -power));
    }
    fraction.truncate(usize::from(scale));
    format!("{whole}.{fraction}")
}

impl ToSql for PgNumeric {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Boxed> {
        let special = match self.as_str() {
            "NaN" => Some(NAN),
            "Infinity" => Some(INFINITY),
            "-Infinity" => Some(NEG_INFINITY),
            _ => None,
        };
        if let Some(sign) = special {
            for word in [0, 0, sign, 0] {
                out.put_u16(word);
            }
            return Ok(IsNull::No);
        }
        let (sign, digits) = match self.as_str().strip_prefix('-') {
            Some(digits) => (NEGATIVE, digits),
            None => (POSITIVE, self.as_str()),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let scale = u16::try_from(fraction.len())?;
        // Whole groups of four on both sides of the point.
        let whole = format!(
            "{}{whole}",
            "0".repeat(whole.len().next_multiple_of(4) - whole.len())
        );
        let fraction = format!(
            "{fraction:0<width$}",
            width = fraction.len().next_multiple_of(4)
        );
        let mut weight = i16::try_from(whole.len() / 4)? - 1;
        let text = whole + &fraction;
        let parsed: Result<Vec<u16>, _> = text
            .as_bytes()
            .chunks_exact(4)
            .map(|four| String::from_utf8_lossy(four).parse())
            .collect();
        let mut groups: &[u16] = &parsed?;
        while let [0, rest @ ..] = groups {
            groups = rest;
            weight -= 1;
        }
        while let [rest @ .., 0] = groups {
            groups = rest;
        }
        let (sign, weight) = if groups.is_empty() {
            (POSITIVE, 0)
        } else {
            (sign, weight)
        };
        out.put_u16(u16::try_from(groups.len())?);
        out.put_i16(weight);
        out.put_u16(sign);
        out.put_u16(scale);
        groups.iter().for_each(|group| out.put_u16(*group));
        Ok(IsNull::No)
    }

    accepts!(NUMERIC);
    to_sql_checked!();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numeric_survives_the_binary_format() {
        for text in [
            "0",
            "0.00",
            "1",
            "-1",
            "10000",
            "9999",
            "1.50",
            "-0.0001",
            "0.00000000000000000001",
            "123456789.000100",
            "99990000",
            "0.1",
            "12345678901234567890.12345678901234567890",
            "NaN",
            "Infinity",
            "-Infinity",
        ] {
            let value: PgNumeric = text.parse().expect(text);
            let mut raw = BytesMut::new();
            value.to_sql(&Type::NUMERIC, &mut raw).expect(text);
            assert_eq!(
                PgNumeric::from_sql(&Type::NUMERIC, &raw)
                    .expect(text)
                    .as_str(),
                text
            );
        }
    }
}
