//! Tuples: arrays of a fixed length.

use serde_json::Value;

use super::{Decode, DecodeError, Encode};

macro_rules! tuple {
    ($length:literal: $($type:ident $index:tt)*) => {
        impl<$($type: Decode),*> Decode for ($($type,)*) {
            fn decode(value: &Value) -> Result<Self, DecodeError> {
                match value.as_array() {
                    Some(elements) if elements.len() == $length => Ok((
                        $($type::decode(&elements[$index]).map_err(|error| error.within(stringify!($index)))?,)*
                    )),
                    _ => Err(DecodeError::expected(concat!("an array of ", stringify!($length)), value)),
                }
            }
        }

        impl<$($type: Encode),*> Encode for ($($type,)*) {
            fn encode(&self) -> Value {
                Value::Array(vec![$(self.$index.encode()),*])
            }
        }
    };
}
tuple!(1: A 0);
tuple!(2: A 0 B 1);
tuple!(3: A 0 B 1 C 2);
tuple!(4: A 0 B 1 C 2 D 3);
tuple!(5: A 0 B 1 C 2 D 3 E 4);
tuple!(6: A 0 B 1 C 2 D 3 E 4 F 5);
tuple!(7: A 0 B 1 C 2 D 3 E 4 F 5 G 6);
tuple!(8: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7);
tuple!(9: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8);
tuple!(10: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9);
tuple!(11: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10);
tuple!(12: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11);
