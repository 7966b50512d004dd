//! Arrays.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use super::convert::OutOfRange;
use super::literal::array;
use super::{FromText, ParseError, ToText};

/// The most dimensions that an array of PostgreSQL has.
pub(super) const MAX_DIMENSIONS: usize = 6;

/// One dimension of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Dimension {
    /// Number of members.
    pub len: usize,
    /// Subscript of the first one; 1 unless it was set otherwise.
    pub lower: i32,
}

impl Dimension {
    /// Subscript of the last member.
    pub(super) fn upper(self) -> i128 {
        i128::from(self.lower) + self.len as i128 - 1
    }
}

/// An array: any number of dimensions up to six, their lower bounds, and elements that may be NULL.
///
/// It is a slice of its elements, the last subscript running fastest. An empty array has no dimensions, as in PostgreSQL.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PgArray<T> {
    dimensions: Vec<Dimension>,
    elements: Vec<Option<T>>,
}

impl<T> PgArray<T> {
    /// An array of some dimensions, outermost first; `None` unless they have as many members as there are elements, and
    /// each at least one, and there are at most six, with subscripts within `i32`.
    pub fn new(dimensions: Vec<Dimension>, elements: Vec<Option<T>>) -> Option<Self> {
        let members = dimensions
            .iter()
            .try_fold(1_usize, |members, each| members.checked_mul(each.len))?;
        let members = if dimensions.is_empty() { 0 } else { members };
        let fits = |each: &Dimension| each.len > 0 && each.upper() <= i128::from(i32::MAX);
        let valid = dimensions.len() <= MAX_DIMENSIONS
            && dimensions.iter().all(fits)
            && members == elements.len();
        valid.then_some(Self {
            dimensions,
            elements,
        })
    }

    /// The dimensions, outermost first; none if the array is empty.
    pub fn dimensions(&self) -> &[Dimension] {
        &self.dimensions
    }

    /// The elements, the last subscript running fastest.
    pub fn into_elements(self) -> Vec<Option<T>> {
        self.elements
    }

    /// The elements of an array of one dimension, whatever its lower bound.
    fn into_flat(self) -> Result<Vec<Option<T>>, OutOfRange> {
        if self.dimensions.len() > 1 {
            let what = format!("an array of {} dimensions", self.dimensions.len());
            return Err(OutOfRange::new(what, "Vec"));
        }
        Ok(self.elements)
    }
}

impl<T> Default for PgArray<T> {
    fn default() -> Self {
        Self {
            dimensions: Vec::new(),
            elements: Vec::new(),
        }
    }
}

impl<T> Deref for PgArray<T> {
    type Target = [Option<T>];

    fn deref(&self) -> &[Option<T>] {
        &self.elements
    }
}

impl<T> From<Vec<Option<T>>> for PgArray<T> {
    /// One dimension from 1; none if there are no elements.
    fn from(elements: Vec<Option<T>>) -> Self {
        let len = elements.len();
        let dimensions = if len == 0 {
            Vec::new()
        } else {
            vec![Dimension { len, lower: 1 }]
        };
        Self {
            dimensions,
            elements,
        }
    }
}

impl<T> From<Vec<T>> for PgArray<T> {
    /// One dimension from 1; none if there are no elements.
    fn from(elements: Vec<T>) -> Self {
        elements.into_iter().map(Some).collect::<Vec<_>>().into()
    }
}

impl<T> TryFrom<PgArray<T>> for Vec<Option<T>> {
    type Error = OutOfRange;

    /// # Errors
    /// There is more than one dimension. A lower bound is lost.
    fn try_from(array: PgArray<T>) -> Result<Self, OutOfRange> {
        array.into_flat()
    }
}

impl<T> TryFrom<PgArray<T>> for Vec<T> {
    type Error = OutOfRange;

    /// # Errors
    /// There is more than one dimension, or an element is NULL. A lower bound is lost.
    fn try_from(array: PgArray<T>) -> Result<Self, OutOfRange> {
        let null = || OutOfRange::new("a NULL within an array".into(), "an element of Vec");
        let elements = array.into_flat()?.into_iter();
        elements.map(|element| element.ok_or_else(null)).collect()
    }
}

impl<T: FromText> FromStr for PgArray<T> {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let no_array = || ParseError::new("array", text);
        let literal = array::parse(text, T::DELIMITER).ok_or_else(no_array)?;
        let read = |element: Option<String>| element.map(|text| T::from_text(&text)).transpose();
        let elements: Result<_, _> = literal.elements.into_iter().map(read).collect();
        Self::new(literal.dimensions, elements?).ok_or_else(no_array)
    }
}

impl<T: FromText> FromText for PgArray<T> {
    fn from_text(text: &str) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl<T: ToText> ToText for PgArray<T> {
    fn to_text(&self) -> String {
        let elements = self.iter().map(|element| element.as_ref().map(T::to_text));
        array::write(&self.dimensions, elements, T::DELIMITER)
    }
}

impl<T: ToText> fmt::Display for PgArray<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}

impl<T: fmt::Debug> fmt::Debug for PgArray<T> {
    /// The elements; the dimensions too, unless there is one from 1.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !matches!(self.dimensions[..], [] | [Dimension { lower: 1, .. }]) {
            write!(f, "{:?} ", self.dimensions)?;
        }
        f.debug_list().entries(&self.elements).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_becomes_a_vec_if_it_is_flat_and_without_null() {
        let flat: PgArray<i32> = PgArray::from(vec![1, 2]);
        assert_eq!(flat.to_string(), "{1,2}");
        assert_eq!(Vec::<i32>::try_from(flat.clone()), Ok(vec![1, 2]));
        assert_eq!(
            Vec::<Option<i32>>::try_from(flat),
            Ok(vec![Some(1), Some(2)])
        );
        let null: PgArray<i32> = PgArray::from(vec![Some(1), None]);
        assert!(Vec::<i32>::try_from(null).is_err());
        let Ok(square) = PgArray::<i32>::from_text("{{1},{2}}") else {
            panic!("an array")
        };
        assert!(Vec::<Option<i32>>::try_from(square).is_err());
        assert!(
            PgArray::<i32>::from(Vec::<i32>::new())
                .dimensions()
                .is_empty()
        );
    }

    #[test]
    fn dimensions_must_agree_with_the_elements() {
        let dimension = |len, lower| Dimension { len, lower };
        assert!(PgArray::<i32>::new(vec![], vec![]).is_some());
        assert!(PgArray::new(vec![], vec![Some(1)]).is_none());
        assert!(PgArray::<i32>::new(vec![dimension(0, 1)], vec![]).is_none());
        assert!(PgArray::new(vec![dimension(1, i32::MAX)], vec![Some(1)]).is_some());
        assert!(PgArray::new(vec![dimension(2, i32::MAX)], vec![Some(1), None]).is_none());
        assert!(PgArray::new(vec![dimension(usize::MAX, 1); 2], vec![Some(1)]).is_none());
    }

    #[test]
    fn an_element_of_another_type_is_an_error() {
        assert!(PgArray::<i32>::from_text("{1,x}").is_err());
        assert!(PgArray::<bool>::from_text("{t,NULL,f}").is_ok());
    }
}
