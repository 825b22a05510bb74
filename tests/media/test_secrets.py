"""Credentials are found nowhere: not in errors and their tracebacks, reprs, logs, documents, nor on the screen."""

import io
import logging
import traceback

import pytest

import saccade as sc
from saccade.app.cli.main import main
from saccade.dataset import settings
from saccade.dataset.errors import SaccadeError
from saccade.dataset.media.reading import open_media, read_media
from tests.servers.azure import ACCOUNT_KEY
from tests.servers.s3 import SECRET_KEY

TOKEN = "sessiontoken/that+nobody=may/see"
HEADER = "header-that-nobody-may-see"
SECRETS = [SECRET_KEY, ACCOUNT_KEY, TOKEN, HEADER, "AKIAIOSFODNN7EXAMPLE", "Signature=", "sig=", "X-Amz-"]


@pytest.fixture(params=["s3", "azure"])
def bucket(request):
    bucket = request.getfixturevalue(request.param)
    bucket.put({"1.jpg": b"1", "2.jpg": b"2", "v.mp4": b"3"})
    return bucket


def options(bucket):
    more = {"session_token": TOKEN} if "secret_access_key" in bucket.options else {}
    return {
        **bucket.options,
        **more,
        "retries": 0,
        "timeout": 1,
        "client_options": {"default_headers": {"X-Key": HEADER}},
    }


@pytest.fixture
def log():
    """All that is logged at the lowest level, by anybody but the servers of the tests."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(1)
    logging.getLogger("pymongo").setLevel(logging.INFO)  # its debugging logs cannot show packed documents
    yield stream
    root.removeHandler(handler)
    root.setLevel(before)
    logging.getLogger("pymongo").setLevel(logging.NOTSET)


def assert_clean(*texts):
    for text in texts:
        assert [secret for secret in SECRETS if secret in text] == []


def shown(error):
    """All that a debugger or a log would show of an error: its traceback with local variables and contexts left out."""
    found, pending = [], [error]
    while pending:
        one = pending.pop()
        found += [str(one), repr(one), repr(one.args), *traceback.format_exception(one)]
        found += getattr(one, "__notes__", [])
        pending += [other for other in (one.__cause__, one.__context__) if other is not None]
    return found


FAULTS = [
    (403, "AccessDenied"), (403, "SignatureDoesNotMatch"), (400, "ExpiredToken"), (404, "NoSuchKey"), (500, "Internal"),
    (404, "NoSuchBucket"), (400, "Peculiar"), (401, "X"), (301, "Y"), (416, "InvalidRange"),
]  # fmt: skip


def test_no_error_shows_a_secret(bucket, log, capsys):
    source = sc.Datasource(bucket.url, **options(bucket))
    actions = [
        lambda: read_media(f"{bucket.url}/1.jpg"), lambda: open_media(f"{bucket.url}/1.jpg"),
        lambda: list(source.files()),
    ]  # fmt: skip
    list(source.files())
    count = 0
    for act in actions:
        for status, code in FAULTS:
            bucket.proxy.answer("", status, code, times=9)
            count += not _fails_clean(act)
        for fault in (bucket.proxy.stall, bucket.proxy.break_off):
            fault("", 2, times=9)
            count += not _fails_clean(act)
    assert count <= 3 * 2  # a listing or a range may come through some of them
    assert_clean(log.getvalue(), *capsys.readouterr())


def _fails_clean(act):
    try:
        act()
    except SaccadeError as error:
        assert_clean(*shown(error))
        return True
    return False


@pytest.mark.parametrize("name", ["endpoint", "region", "timeout", "retries", "backend", "nonsense", "client_options"])
@pytest.mark.parametrize("value", [SECRET_KEY, {"timeout": SECRET_KEY}, {SECRET_KEY: 1}, [SECRET_KEY]])
def test_a_secret_in_the_wrong_place_is_not_shown(s3, name, value):
    if name == "client_options" and not isinstance(value, dict):
        value = {"proxy_url": value}
    source = sc.Datasource(s3.url, **{**options(s3), name: value})
    assert_clean(repr(source))
    try:
        list(source.files())
    except SaccadeError as error:
        assert_clean(*shown(error))


def test_a_secret_in_a_url_is_refused_and_not_shown():
    for url in (f"s3://key:{SECRET_KEY}@bucket/x", f"sftp://me:{SECRET_KEY}@host/x"):
        with pytest.raises(SaccadeError, match="holds a password") as caught:
            sc.Datasource(url)
        assert_clean(*shown(caught.value))
    url = f"https://account.blob.core.windows.net/photos?sv=2023-11-03&sig={SECRET_KEY}"
    with pytest.raises(SaccadeError, match="holds a signature") as caught:
        sc.Datasource(url)
    assert_clean(*shown(caught.value))


@pytest.fixture
def config(tmp_path, monkeypatch):
    """The config file of a test."""
    monkeypatch.setenv("SACCADE_CONFIG", str(tmp_path / "config.toml"))
    return tmp_path / "config.toml"


def test_reprs_and_settings_show_the_names_of_options_alone(bucket, config):
    lines = [f'{name} = "{value}"' for name, value in {"url": bucket.url, **bucket.options}.items()]
    config.write_text("\n".join(["[datasources.mine]", *lines]))
    shown = repr(settings.current())
    assert "datasources={'mine': ***}" in shown
    source = sc.Datasource(bucket.url, **options(bucket))
    assert "endpoint=***" in repr(source)
    assert_clean(shown, repr(source), str(source), repr([source]), f"{source}", repr(sc.settings.datasources_stamp()))


def test_a_config_that_cannot_be_used_is_not_shown(config):
    table = "[datasources.a]\n"
    for text in (
        f'{table}key = "{SECRET_KEY}"', f'datasources = "{SECRET_KEY}"', f'{table}url = ["{SECRET_KEY}"]',
        f'{table}url = "s3://b"\nkey = "{SECRET_KEY}',
    ):  # fmt: skip
        config.write_text(text)
        with pytest.raises(SaccadeError) as caught:
            settings.current()
        assert_clean(*shown(caught.value))


def test_no_document_of_the_database_holds_a_secret(bucket, database, log, capsys):
    dataset = sc.Dataset.from_datasource(
        sc.Datasource(bucket.url, name="mine", **options(bucket)), "photos", tags="new"
    )
    assert len(dataset) == 3
    copy = dataset.clone("copy")
    assert "endpoint=***" in repr(copy.datasources)
    stored = [repr(list(database[name].find())) for name in database.list_collection_names()]
    assert any(bucket.url in text for text in stored)
    assert_clean(
        *stored, repr(dataset), dataset._repr_html_(), repr(dataset.datasources), repr(dataset.history()),
        str(dataset.to_dict()), repr(dataset.first()), log.getvalue(), *capsys.readouterr(),
    )  # fmt: skip
    assert main(["import", bucket.url, "photos"]) == 0
    bucket.proxy.answer("", 403, "SignatureDoesNotMatch", times=9)
    assert main(["import", bucket.url, "photos"]) == 1
    said = capsys.readouterr()
    assert "the secret key is wrong" in said.err
    assert_clean(said.out, said.err)
