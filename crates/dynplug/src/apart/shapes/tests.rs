use super::{gives as compare, wants as follow};
use crate::wire::{Contents, Described, Shape, Shapes, Type};
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
fn an_enum_in_another_enums_later_variant_is_compared() {
    #[derive(Serialize, Deserialize)]
    enum More {
        Nowhere,
        To(String, u8),
        By { it: Option<Box<Way>> },
        Number(u16),
    }
    assert_eq!(gives::<Result<u8, Way>, Result<u8, Way>>(), Ok(()));
    assert_eq!(wants::<Result<u8, Way>>(Err::<u8, _>(Way::Number(1))), Ok(()));
    assert_eq!(
        gives::<Result<u8, Way>, Result<u8, More>>().unwrap_err(),
        "the result, variant `Err`, variant `Number`: the host has `u16`, and the plugin has `u8`"
    );
}

#[test]
fn a_generic_type_has_a_shape_for_each_of_its_arguments() {
    #[derive(Serialize, Deserialize)]
    struct Page<T> {
        items: Vec<T>,
        next: Option<u32>,
    }
    type Both = (Page<u8>, Page<String>);
    assert_eq!(gives::<Both, Both>(), Ok(()));
    let says = gives::<Both, (Page<u8>, Page<char>)>().unwrap_err();
    assert!(
        says.starts_with("the result, element 1, field `items`, each element: the host has `char`"),
        "{says}"
    );
}

#[test]
fn what_cant_be_seen_stands_in_the_way_where_it_is_met() {
    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Untagged {
        One(u8),
        Other(String),
    }
    #[derive(Serialize, Deserialize)]
    enum Mostly {
        Seen(u8),
        Unseen(Untagged),
    }
    assert_eq!(wants::<Mostly>(Mostly::Seen(1)), Ok(()));
    let says = wants::<Mostly>(Mostly::Unseen(Untagged::Other("it".to_owned()))).unwrap_err();
    assert!(
        says.starts_with("argument 1, variant `Unseen`: it has no shape that could be compared"),
        "{says}"
    );
    let says = gives::<Mostly, Mostly>().unwrap_err();
    assert!(says.starts_with("the result, variant `Unseen`: it has no shape"), "{says}");
    assert!(wants::<Mostly>(Mostly::Unseen(Untagged::One(1))).is_err());
}

#[test]
fn a_chain_of_types_without_end_is_followed_as_far_as_values_go() {
    let name = |number: u32| Shape::Type(number.to_string());
    let way = |next| {
        let it = vec![("it".to_owned(), Shape::Option(Box::new(name(next))))];
        let to = Contents::Elements(vec![Shape::Str, Shape::U8]);
        let variants = [
            ("Nowhere", Contents::Nothing),
            ("To", to),
            ("By", Contents::Fields(it)),
            ("Number", Contents::One(Shape::U8)),
        ];
        let variants = variants.map(|(name, contents)| (name.to_owned(), contents));
        Type::Enum((0..).zip(variants).collect())
    };
    let types = (0..200_000).map(|number| (number.to_string(), way(number + 1))).collect();
    let long = Described { shapes: vec![name(0)], types };
    assert_eq!(compare::<Way>(&long), Ok(()));
    // What comes soon enough is seen.
    let types = (0..20).map(|number| (number.to_string(), way(number + 1))).collect();
    let says = compare::<Way>(&Described { shapes: vec![name(0)], types }).unwrap_err();
    assert!(says.ends_with("the host has an enum, and the plugin has nothing of that name"), "{says}");
}
