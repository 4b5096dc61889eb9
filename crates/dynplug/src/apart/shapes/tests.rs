use super::{gives as compare, wants as follow};
use crate::wire::{Described, Shapes};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Serialize, Deserialize)]
struct Order {
    name: String,
    items: BTreeMap<String, u32>,
    way: Way,
}

#[derive(Serialize, Deserialize)]
enum Way {
    Nowhere,
    To(String, u8),
    By { it: Option<Box<Way>> },
    Number(u8),
}

#[derive(Serialize, Deserialize)]
struct Pair(u8, u16);

/// What a plugin would say of a function with this argument and this result.
fn expected<A: DeserializeOwned, R: DeserializeOwned>() -> Described {
    Shapes::of(|shapes| shapes.trace::<A>().and_then(|()| shapes.trace::<R>())).unwrap()
}

fn wants<A: DeserializeOwned>(value: impl Serialize) -> Result<(), String> {
    follow(&expected::<A, ()>(), &(value,))
}

fn gives<Theirs: DeserializeOwned, Own: DeserializeOwned>() -> Result<(), String> {
    compare::<Own>(&expected::<(), Theirs>())
}

fn order(way: Way) -> Order {
    Order { name: "me".to_owned(), items: BTreeMap::from([("tea".to_owned(), 1)]), way }
}

#[test]
fn what_is_the_same_is_the_same_however_it_is_written() {
    for way in [Way::Nowhere, Way::To("it".to_owned(), 1), Way::By { it: Some(Box::new(Way::Number(2))) }] {
        assert_eq!(wants::<Order>(order(way)), Ok(()));
    }
    assert_eq!(wants::<Vec<u8>>(&[1_u8, 2][..]), Ok(()));
    assert_eq!(wants::<String>("text"), Ok(()));
    assert_eq!(
        wants::<Vec<Pair>>(
            &[Pair(1, 2)].iter().map(|Pair(one, other)| Pair(*one, *other)).collect::<Vec<_>>()
        ),
        Ok(())
    );
    assert_eq!(wants::<[u8; 3]>([1_u8, 2, 3]), Ok(()));
    assert_eq!(wants::<(u8, Option<char>)>((1_u8, Some('c'))), Ok(()));
    assert_eq!(gives::<Result<Order, String>, Result<Order, String>>(), Ok(()));
    assert_eq!(gives::<Vec<Option<(Order, Way)>>, Vec<Option<(Order, Way)>>>(), Ok(()));
    assert_eq!(gives::<Way, Way>(), Ok(()));
}

#[test]
fn what_differs_is_told_with_its_place() {
    #[derive(Serialize, Deserialize)]
    #[serde(rename = "Order")]
    struct Other {
        name: String,
        items: BTreeMap<String, u64>,
        way: OtherWay,
    }
    #[derive(Serialize, Deserialize)]
    #[serde(rename = "Way")]
    enum OtherWay {
        Nowhere,
        There(String, u8),
    }
    let says = |outcome: Result<(), String>, text: &str| assert_eq!(outcome, Err(text.to_owned()));
    let way = || Way::To("it".to_owned(), 1);
    says(
        wants::<Other>(order(way())),
        "argument 1, field `items`, each value: the host has `u32`, and the plugin has `u64`",
    );
    let empty = Order { items: BTreeMap::new(), ..order(way()) };
    says(
        wants::<Other>(empty),
        "argument 1, field `way`: the host has the variant `To`, and the plugin has the variant `There`",
    );
    says(
        gives::<Vec<Other>, Vec<Order>>(),
        "the result, each element, field `items`, each value: the host has `u32`, and the plugin has `u64`",
    );
    says(
        gives::<OtherWay, Way>(),
        "the result: the host has the variant `To`, and the plugin has the variant `There`",
    );
    says(wants::<String>(7_u8), "argument 1: the host has `u8`, and the plugin has a text");
    says(
        wants::<Pair>((1_u8, 2_u16)),
        "argument 1: the host has a tuple of 2, and the plugin has `Pair` (elements)",
    );
    says(
        follow(&expected::<u8, ()>(), &(1_u8, 2_u8)),
        "the arguments: the host has 2 of them, and the plugin has 1",
    );
}

#[test]
fn a_field_more_or_less_is_told() {
    #[derive(Serialize, Deserialize)]
    struct One {
        first: u8,
    }
    #[derive(Serialize, Deserialize)]
    struct Two {
        first: u8,
        second: u8,
    }
    let says = |outcome: Result<(), String>, text: &str| assert_eq!(outcome, Err(text.to_owned()));
    says(
        wants::<Two>(One { first: 1 }),
        "argument 1: the host has no more fields, and the plugin has the field `second`",
    );
    says(
        wants::<One>(Two { first: 1, second: 2 }),
        "argument 1: the host has the field `second`, and the plugin has no more fields",
    );
    says(
        gives::<One, Two>(),
        "the result: the host has the field `second`, and the plugin has no more fields",
    );
}

#[test]
fn an_enum_that_lies_too_deep_is_told() {
    let says = gives::<(), Result<u8, Way>>().unwrap_err();
    assert_eq!(
        says,
        "the result: a type has no shape that could be compared: the enum `Way` lies too deep in others for all of its variants to be seen"
    );
}
