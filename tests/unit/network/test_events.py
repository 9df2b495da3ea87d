import msgspec

from bittern.network.events import Event, NetworkEvent


def test_every_event_has_a_name_of_its_own():
    kinds = Event.__subclasses__()
    assert set(NetworkEvent.__args__) == set(kinds)
    assert len({kind.__struct_config__.tag for kind in kinds}) == len(kinds)


def test_every_event_says_when_it_happened():
    for kind in Event.__subclasses__():
        assert "at" in kind.__struct_fields__, kind.__name__


def test_no_event_has_a_field_that_could_hold_a_key():
    for kind in Event.__subclasses__():
        for field in msgspec.structs.fields(kind):
            assert "key" not in field.name.lower(), f"{kind.__name__}.{field.name}"
