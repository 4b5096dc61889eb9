use super::*;

#[test]
fn what_is_wanted_fits_a_word() {
    use Severity::*;
    for log in [None, Some(Error), Some(Info), Some(Trace)] {
        for tracing in [None, Some(Warn), Some(Debug)] {
            for has_subscriber in [false, true] {
                let wanted = Wanted { log, tracing, has_subscriber };
                assert_eq!(Wanted::from_word(wanted.to_word()), wanted);
            }
        }
    }
    let nothing = Wanted { log: None, tracing: None, has_subscriber: false };
    assert_eq!(Wanted::from_word(0), nothing);
}

#[test]
fn whatever_is_told_fits_a_message() {
    let long = "é".repeat(100_000);
    let mut room = Room::new();
    let message = room.message(&long);
    assert!(message.ends_with('…') && message.len() <= Room::MESSAGE + 3, "{}", message.len());
    let mut fields = Vec::new();
    for _ in 0..1000 {
        room.field(&mut fields, &long, &long);
    }
    let name = || Some(Cow::from(room_name(&long)));
    let record = Record {
        severity: Severity::Info,
        target: room_name(&long).into(),
        module: name(),
        file: name(),
        line: Some(u32::MAX),
        message: message.into(),
        fields,
        spans: Vec::new(),
    };
    let bytes = postcard::to_allocvec(&record).unwrap();
    assert!(bytes.len() < LONGEST, "{}", bytes.len());
    assert_eq!(postcard::from_bytes::<Record<'_>>(&bytes).unwrap(), record);
}

/// As of a record that has no room left but for names.
fn room_name(text: &str) -> String {
    Room::new().name(text)
}

mod told {
    use super::super::*;
    use dynplug_process::records::Records as _;

    fn message(kind: u8, record: &Record<'_>) -> Vec<u8> {
        postcard::to_extend(record, vec![kind]).unwrap()
    }

    fn record(target: &str) -> Record<'_> {
        Record {
            severity: Severity::Error,
            target: target.into(),
            module: None,
            file: None,
            line: None,
            message: "text".into(),
            fields: vec![("a".into(), "1".into())],
            spans: vec![Span { name: "around".into(), fields: Vec::new() }],
        }
    }

    #[test]
    fn whatever_comes_is_a_record_or_an_error() {
        let recipient = Recipient::new("my-plugin");
        assert_eq!(recipient.record(&message(1, &record("x"))), Ok(()));
        assert_eq!(recipient.record(&message(2, &record("x"))), Ok(()));
        // A kind of a later version.
        assert_eq!(recipient.record(&[77, 0xff]), Ok(()));
        assert!(recipient.record(&[]).unwrap_err().contains("without anything"));
        let whole = message(1, &record("x"));
        for end in 1..whole.len() {
            assert!(recipient.record(&whole[..end]).is_err(), "{end}");
        }
        // Anything at all, by a generator.
        let mut state = 7_u64;
        for length in 0..2000 {
            let mut bytes = vec![1 + (length % 2) as u8];
            bytes.extend((0..length % 100).map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 56) as u8 >> (length % 6)
            }));
            let _ = recipient.record(&bytes);
        }
    }
}
