use super::super::{Contents, Described, Shape, Type};
use super::Shapes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::num::{NonZeroI8, NonZeroU64};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

fn shape<T: DeserializeOwned>() -> Described {
    Shapes::of(Shapes::trace::<T>).unwrap_or_else(|error| panic!("{error}"))
}

fn refused<T: DeserializeOwned>() -> String {
    Shapes::of(Shapes::trace::<T>).unwrap_err().to_string()
}

/// All variants of an enum by name.
fn variants<'a>(described: &'a Described, name: &str) -> Vec<(&'a str, &'a Contents)> {
    let Some(Type::Enum(variants)) = described.types.get(name) else {
        panic!("no enum `{name}` in {described:#?}")
    };
    assert!((0..).zip(variants.keys()).all(|(number, key)| number == *key), "{variants:?}");
    variants.values().map(|(name, contents)| (&**name, contents)).collect()
}

/// Whether nothing is unseen, and each type that is named is there.
fn is_whole(described: &Described) -> bool {
    let text = format!("{described:?}");
    let named = text.split("Type(\"").skip(1).filter_map(|rest| rest.split('"').next());
    !text.contains("Unseen(\"") && named.into_iter().all(|name| described.types.contains_key(name))
}

fn one(described: &Described) -> &Shape {
    let [shape] = &described.shapes[..] else { panic!("{described:?}") };
    shape
}

#[test]
fn plain_values_have_their_shapes() {
    assert_eq!(one(&shape::<u8>()), &Shape::U8);
    assert_eq!(one(&shape::<i128>()), &Shape::I128);
    assert_eq!(one(&shape::<f64>()), &Shape::F64);
    assert_eq!(one(&shape::<bool>()), &Shape::Bool);
    assert_eq!(one(&shape::<char>()), &Shape::Char);
    assert_eq!(one(&shape::<()>()), &Shape::Unit);
    assert_eq!(one(&shape::<PathBuf>()), &Shape::Str);
    assert_eq!(one(&shape::<[u8; 32]>()), &Shape::Array(Box::new(Shape::U8), 32));
    assert_eq!(one(&shape::<(u8, char)>()), &Shape::Tuple(vec![Shape::U8, Shape::Char]));
    let list = Shape::List(Box::new(Shape::Option(Box::new(Shape::Str))));
    assert_eq!(one(&shape::<Vec<Option<String>>>()), &list);
    assert_eq!(one(&shape::<HashSet<Option<Box<str>>>>()), &list);
    assert_eq!(one(&shape::<Vec<Vec<()>>>()), &Shape::List(Box::new(Shape::List(Box::new(Shape::Unit)))));
    let map = Shape::Map(Box::new(Shape::Str), Box::new(Shape::U8));
    assert_eq!(one(&shape::<HashMap<String, u8>>()), &map);
    assert_eq!(one(&shape::<BTreeMap<String, u8>>()), &map);
}

#[test]
fn what_serde_knows_of_std_is_whole() {
    type Many = (
        (Duration, SystemTime, IpAddr, SocketAddr, PathBuf),
        (NonZeroU64, NonZeroI8, std::ops::Range<u8>, std::ops::Bound<u8>),
        (std::ffi::CString, std::marker::PhantomData<u8>, std::cmp::Reverse<u8>, Result<u8, String>),
    );
    let described = shape::<Many>();
    assert!(is_whole(&described), "{described:#?}");
    assert_eq!(variants(&described, "IpAddr").len(), 2);
    assert_eq!(variants(&described, "Bound").len(), 3);
}

#[derive(Serialize, Deserialize)]
enum Expr {
    Neg(Box<Expr>),
    Add(Box<Expr>, Box<Expr>),
    Call { name: String, with: Vec<Expr> },
    Num(f64),
    Choose(Box<Choice>),
}

#[derive(Serialize, Deserialize)]
enum Choice {
    Both(Box<Expr>, Box<Choice>),
    If(Option<Box<Expr>>),
    By(HashMap<String, Choice>),
    Way(Way),
}

#[derive(Serialize, Deserialize)]
enum Way {
    Up,
    Down(u8),
    Back { how: Option<How> },
}

#[derive(Serialize, Deserialize)]
enum How {
    Fast,
    Slow(char),
}

#[test]
fn enums_that_contain_themselves_and_each_other_are_whole() {
    let described = shape::<Expr>();
    assert!(is_whole(&described), "{described:#?}");
    let names = |of| variants(&described, of).iter().map(|(name, _)| *name).collect::<Vec<_>>();
    assert_eq!(names("Expr"), ["Neg", "Add", "Call", "Num", "Choose"]);
    assert_eq!(names("Choice"), ["Both", "If", "By", "Way"]);
    assert_eq!(names("Way"), ["Up", "Down", "Back"]);
    assert_eq!(names("How"), ["Fast", "Slow"]);
    for described in [shape::<Result<u8, Expr>>(), shape::<Option<Vec<Result<Way, Choice>>>>()] {
        assert!(is_whole(&described), "{described:#?}");
        assert_eq!(variants(&described, "How").len(), 2);
    }
}

#[test]
fn the_only_way_out_may_lie_in_another_type() {
    #[derive(Serialize, Deserialize)]
    enum First {
        Only(Second),
    }
    #[derive(Serialize, Deserialize)]
    enum Second {
        Again(Box<First>),
        More(Box<Third>),
        Out,
    }
    #[derive(Serialize, Deserialize)]
    enum Third {
        First(First),
        Second(Second),
    }
    let described = shape::<First>();
    assert!(is_whole(&described), "{described:#?}");
    assert_eq!(variants(&described, "Second").len(), 3);
    assert_eq!(variants(&described, "Third").len(), 2);
}

#[test]
fn without_a_way_out_there_is_no_value_and_no_shape() {
    #[derive(Debug, Serialize, Deserialize)]
    enum Never {
        Again(Box<Never>),
        Other(Box<Neither>),
    }
    #[derive(Debug, Serialize, Deserialize)]
    enum Neither {
        Never(Box<Never>),
    }
    assert!(refused::<Never>().ends_with("it contains itself without end"), "{}", refused::<Never>());
    #[derive(Debug, Serialize, Deserialize)]
    #[serde(transparent)]
    struct Nest(Vec<Nest>);
    let says = refused::<Nest>();
    assert!(says.contains("there is no structure or enum between"), "{says}");
}

#[test]
fn structures_that_contain_themselves_have_a_shape() {
    #[derive(Serialize, Deserialize)]
    struct Tree {
        name: String,
        below: Vec<Tree>,
        next: Option<Box<Tree>>,
        by: BTreeMap<u8, Tree>,
    }
    let tree = || Box::new(Shape::Type("Tree".to_owned()));
    let Type::Struct(Contents::Fields(fields)) = &shape::<Tree>().types["Tree"] else { panic!() };
    let shapes: Vec<&Shape> = fields.iter().map(|(_, shape)| shape).collect();
    assert_eq!(
        shapes,
        [&Shape::Str, &Shape::List(tree()), &Shape::Option(tree()), &Shape::Map(Box::new(Shape::U8), tree())]
    );
}

#[test]
fn types_of_one_name_are_told_apart() {
    mod one {
        #[derive(serde::Serialize, serde::Deserialize)]
        pub(super) struct Item(u8);
    }
    mod other {
        #[derive(serde::Serialize, serde::Deserialize)]
        pub(super) struct Item(String);
    }
    #[derive(Serialize, Deserialize)]
    struct Page<T>(Vec<T>);
    let described = shape::<(one::Item, other::Item, Page<u8>, Page<char>)>();
    assert!(is_whole(&described), "{described:#?}");
    assert_eq!(described.types.len(), 4);
    let pages = described.types.iter().filter(|(name, _)| name.contains("Page")).map(|(_, of)| of);
    let lists = [Shape::U8, Shape::Char].map(|each| Shape::List(Box::new(each)));
    let wanted = lists.map(|list| Type::Struct(Contents::One(list)));
    assert_eq!(pages.cloned().collect::<Vec<_>>(), wanted);
}

#[test]
fn what_wants_other_values_than_zeros_gets_them() {
    #[derive(Serialize, Deserialize)]
    #[serde(try_from = "Vec<u8>", into = "Vec<u8>")]
    #[derive(Clone)]
    struct Three(Vec<u8>);
    impl TryFrom<Vec<u8>> for Three {
        type Error = &'static str;
        fn try_from(list: Vec<u8>) -> Result<Three, &'static str> {
            if list.len() == 3 { Ok(Three(list)) } else { Err("three are wanted") }
        }
    }
    impl From<Three> for Vec<u8> {
        fn from(three: Three) -> Vec<u8> {
            three.0
        }
    }
    #[derive(Serialize, Deserialize)]
    #[serde(try_from = "String", into = "String")]
    #[derive(Clone)]
    struct Address(SocketAddr);
    impl TryFrom<String> for Address {
        type Error = std::net::AddrParseError;
        fn try_from(text: String) -> Result<Address, Self::Error> {
            text.parse().map(Address)
        }
    }
    impl From<Address> for String {
        fn from(address: Address) -> String {
            address.0.to_string()
        }
    }
    #[derive(Serialize, Deserialize)]
    struct All {
        first: Three,
        next: Address,
        last: NonZeroU64,
        end: How,
    }
    let described = shape::<Vec<All>>();
    assert!(is_whole(&described), "{described:#?}");
    let Type::Struct(Contents::Fields(fields)) = &described.types["All"] else { panic!() };
    assert_eq!(fields[0].1, Shape::List(Box::new(Shape::U8)));
    assert_eq!(fields[1].1, Shape::Str);
    assert_eq!(fields[2].1, Shape::U64);
    assert_eq!(variants(&described, "How").len(), 2);
}

#[test]
fn what_nothing_pleases_says_what_it_wanted() {
    #[derive(Debug, Serialize, Deserialize)]
    #[serde(try_from = "String", into = "String")]
    #[derive(Clone)]
    struct Secret;
    impl TryFrom<String> for Secret {
        type Error = &'static str;
        fn try_from(_: String) -> Result<Secret, &'static str> {
            Err("only the secret word will do")
        }
    }
    impl From<Secret> for String {
        fn from(_: Secret) -> String {
            String::new()
        }
    }
    assert!(refused::<Secret>().ends_with("only the secret word will do"));
    // Nobody says that it is the option that could be left out.
    assert!(refused::<Option<Secret>>().ends_with("only the secret word will do"));
    let described = shape::<Result<(u8, Secret), How>>();
    let variants = variants(&described, "Result");
    assert!(matches!(variants[0].1, Contents::Unseen(why) if why == "only the secret word will do"));
    assert_eq!(variants[1].1, &Contents::One(Shape::Type("How".to_owned())));
}

#[test]
fn what_has_to_be_told_what_comes_next_is_refused() {
    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "kind")]
    enum Tagged {
        One { value: u8 },
        Other,
    }
    #[derive(Debug, Serialize, Deserialize)]
    struct Flat {
        #[serde(flatten)]
        rest: BTreeMap<String, u8>,
    }
    assert!(refused::<Tagged>().contains("has to be told what comes next"));
    assert!(!refused::<Flat>().is_empty());
}

#[test]
fn many_types_in_each_other_take_no_time() {
    macro_rules! chain {
        ($($name:ident $next:ty),*) => {
            $(#[derive(Serialize, Deserialize)]
            struct $name {
                one: Option<$next>,
                other: Vec<$next>,
                third: BTreeMap<u8, $next>,
                way: How,
            })*
        };
    }
    chain! {
        A B, B C, C D, D E, E F, F G, G H, H I, I J, J K, K L, L M, M N, N O, O P, P Q, Q R, R S, S T, T Expr
    }
    let described = shape::<A>();
    assert!(is_whole(&described), "{described:#?}");
    assert_eq!(described.types.len(), 24);
    macro_rules! pairs {
        ($($name:ident $next:ty),*) => {
            $(#[derive(Serialize, Deserialize)]
            enum $name {
                Both(Box<$next>, Box<$next>),
                Same([Box<$next>; 2]),
                Out,
            })*
        };
    }
    pairs! { A1 B1, B1 C1, C1 D1, D1 E1, E1 F1, F1 G1, G1 H1, H1 I1, I1 J1, J1 K1, K1 L1, L1 M1, M1 A1 }
    let described = shape::<A1>();
    assert!(is_whole(&described), "{described:#?}");
    assert_eq!(described.types.len(), 13);
}
