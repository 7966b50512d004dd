//! The geometric types: numbers in the order of the text; points after their count.

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked};

use super::{Boxed, Reader};
use crate::types::{PgBox, PgCircle, PgLine, PgLseg, PgPath, PgPoint, PgPolygon};

/// A part of a figure.
trait Part: Sized {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Boxed>;
    fn write(&self, out: &mut BytesMut) -> Result<(), Boxed>;
}

impl Part for f64 {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Boxed> {
        reader.f64()
    }

    fn write(&self, out: &mut BytesMut) -> Result<(), Boxed> {
        out.put_f64(*self);
        Ok(())
    }
}

impl Part for bool {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Boxed> {
        Ok(reader.u8()? != 0)
    }

    fn write(&self, out: &mut BytesMut) -> Result<(), Boxed> {
        out.put_u8(u8::from(*self));
        Ok(())
    }
}

impl Part for Vec<PgPoint> {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Boxed> {
        let count = reader.count()?;
        (0..count).map(|_| PgPoint::read(reader)).collect()
    }

    fn write(&self, out: &mut BytesMut) -> Result<(), Boxed> {
        out.put_i32(i32::try_from(self.len())?);
        self.iter().try_for_each(|point| point.write(out))
    }
}

macro_rules! figure {
    ($type:ident: $sql:ident, $($part:ident)*) => {
        impl Part for $type {
            fn read(reader: &mut Reader<'_>) -> Result<Self, Boxed> {
                Ok(Self { $($part: Part::read(reader)?),* })
            }

            fn write(&self, out: &mut BytesMut) -> Result<(), Boxed> {
                $(self.$part.write(out)?;)*
                Ok(())
            }
        }

        impl<'a> FromSql<'a> for $type {
            fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Boxed> {
                let mut reader = Reader::new(raw);
                let figure = Part::read(&mut reader)?;
                reader.end()?;
                Ok(figure)
            }

            accepts!($sql);
        }

        impl ToSql for $type {
            fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Boxed> {
                self.write(out)?;
                Ok(IsNull::No)
            }

            accepts!($sql);
            to_sql_checked!();
        }
    };
}
figure!(PgPoint: POINT, x y);
figure!(PgLine: LINE, a b c);
figure!(PgLseg: LSEG, start end);
figure!(PgBox: BOX, upper_right lower_left);
figure!(PgPath: PATH, closed points);
figure!(PgPolygon: POLYGON, points);
figure!(PgCircle: CIRCLE, center radius);
