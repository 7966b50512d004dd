//! Enums of PostgreSQL.

use tokio_postgres::types::{Kind, Type};

use crate::types::wire::base;

/// Whether a type is an enum or a domain over one.
pub fn is_enum(ty: &Type) -> bool {
    matches!(base(ty).kind(), Kind::Enum(_))
}

/// Makes a generated Rust enum a type of columns, parameters and results.
///
/// The enum has `fn from_label(&str) -> Self`, which takes a label that it does not know too, and `fn as_str(&self) -> &str`.
#[macro_export]
macro_rules! postgres_enum {
    ($type:ident) => {
        impl $crate::types::FromText for $type {
            fn from_text(text: &str) -> ::core::result::Result<Self, $crate::types::ParseError> {
                ::core::result::Result::Ok(Self::from_label(text))
            }
        }

        impl $crate::types::ToText for $type {
            fn to_text(&self) -> ::std::string::String {
                self.as_str().into()
            }
        }

        impl $crate::payload::Decode for $type {
            fn decode(
                value: &$crate::serde_json::Value,
            ) -> ::core::result::Result<Self, $crate::payload::DecodeError> {
                match value.as_str() {
                    ::core::option::Option::Some(label) => {
                        ::core::result::Result::Ok(Self::from_label(label))
                    }
                    ::core::option::Option::None => ::core::result::Result::Err(
                        $crate::payload::DecodeError::expected("a label of an enum", value),
                    ),
                }
            }
        }

        impl $crate::payload::Encode for $type {
            fn encode(&self) -> $crate::serde_json::Value {
                $crate::serde_json::Value::from(self.as_str())
            }
        }

        impl $crate::payload::Key for $type {
            const NAME: &'static str = "label";

            fn to_key(&self) -> ::std::string::String {
                self.as_str().into()
            }

            fn from_key(text: &str) -> ::core::option::Option<Self> {
                ::core::option::Option::Some(Self::from_label(text))
            }
        }

        impl ::core::str::FromStr for $type {
            type Err = ::core::convert::Infallible;

            fn from_str(label: &str) -> ::core::result::Result<Self, Self::Err> {
                ::core::result::Result::Ok(Self::from_label(label))
            }
        }

        impl ::core::fmt::Display for $type {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl<'a> $crate::tokio_postgres::types::FromSql<'a> for $type {
            fn from_sql(
                _: &$crate::tokio_postgres::types::Type,
                raw: &'a [u8],
            ) -> ::core::result::Result<Self, $crate::generated::Boxed> {
                ::core::result::Result::Ok(Self::from_label(::core::str::from_utf8(raw)?))
            }

            fn accepts(ty: &$crate::tokio_postgres::types::Type) -> bool {
                $crate::generated::is_enum(ty)
            }
        }

        impl $crate::tokio_postgres::types::ToSql for $type {
            fn to_sql(
                &self,
                _: &$crate::tokio_postgres::types::Type,
                out: &mut $crate::generated::BytesMut,
            ) -> ::core::result::Result<
                $crate::tokio_postgres::types::IsNull,
                $crate::generated::Boxed,
            > {
                out.extend_from_slice(self.as_str().as_bytes());
                ::core::result::Result::Ok($crate::tokio_postgres::types::IsNull::No)
            }

            fn accepts(ty: &$crate::tokio_postgres::types::Type) -> bool {
                $crate::generated::is_enum(ty)
            }

            $crate::tokio_postgres::types::to_sql_checked!();
        }
    };
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::payload::Decode as _;

    #[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
    enum Mood {
        Happy,
        Unknown(String),
    }

    impl Mood {
        fn from_label(label: &str) -> Self {
            match label {
                "happy" => Self::Happy,
                label => Self::Unknown(label.into()),
            }
        }

        fn as_str(&self) -> &str {
            match self {
                Self::Happy => "happy",
                Self::Unknown(label) => label,
            }
        }
    }
    postgres_enum!(Mood);

    #[test]
    fn an_unknown_label_is_kept() {
        assert_eq!(Mood::decode(&json!("happy")), Ok(Mood::Happy));
        assert_eq!(
            Mood::decode(&json!("so so")).map(|mood| mood.to_string()),
            Ok("so so".into())
        );
        assert!(Mood::decode(&json!(1)).is_err());
    }
}
