"""What a server does wrong ends in a reason for the file, or in an error for the whole source; never in a storm."""

import itertools
import threading
import time

import pytest

import saccade as sc
from saccade.dataset.errors import DatasourceError, SourceUnavailableError, UnreadableMediaError
from saccade.dataset.media.datasource import Datasource
from saccade.dataset.media.reading import counting, open_media, read_media
from tests.servers.azure import ACCOUNT_KEY


@pytest.fixture(params=["s3", "azure"])
def bucket(request):
    """A bucket with one object and a source that gives up after one repetition, or a second of silence."""
    bucket = request.getfixturevalue(request.param)
    bucket.put({"1.jpg": b"12345"})
    use(bucket)
    return bucket


def use(bucket, **options):
    source = sc.Datasource(bucket.url, **{**bucket.options, "retries": 1, "timeout": 1, **options})
    from saccade.dataset.media.known_sources import register

    register(source)
    bucket.proxy.requests.clear()
    return source


def reason(bucket, key="1.jpg", kind=UnreadableMediaError):
    with pytest.raises(kind) as caught:
        read_media(f"{bucket.url}/{key}")
    assert type(caught.value) is kind
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None  # an error of the backend would show the request
    return str(caught.value)


def test_an_object_that_is_gone(bucket):
    bucket.delete("1.jpg")
    bucket.proxy.requests.clear()
    assert reason(bucket) == "the file does not exist"
    with pytest.raises(UnreadableMediaError, match=r"^the file does not exist$"):
        open_media(f"{bucket.url}/1.jpg")
    assert len(bucket.proxy.requests) == 2  # it is not asked for again


def test_an_object_that_may_not_be_read(bucket):
    bucket.proxy.answer("1.jpg", 403, "AccessDenied", times=5)
    assert reason(bucket) == "the file may not be read (access denied)"
    assert len(bucket.proxy.requests) == 1


def test_when_nothing_at_all_may_be_read_it_is_the_bucket(bucket):
    bucket.proxy.answer("", 403, "AccessDenied", times=1e9)
    for _ in range(99):
        reason(bucket)
    assert "access denied" in reason(bucket, kind=SourceUnavailableError)


def test_one_object_that_could_be_read_shows_that_it_is_not_the_bucket(bucket):
    assert read_media(f"{bucket.url}/1.jpg") == b"12345"
    bucket.proxy.answer("1.jpg", 403, "AccessDenied", times=1e9)
    for _ in range(120):
        reason(bucket)


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (400, "ExpiredToken", "the credentials have expired"),
        (403, "InvalidAccessKeyId", "the server does not know the access key"),
        (403, "SignatureDoesNotMatch", "the secret key is wrong"),
        (403, "AuthenticationFailed", "the credentials are wrong or have expired"),
        (401, "Whatever", "the credentials are not valid"),
        (404, "NoSuchBucket", "the bucket does not exist"),
        (404, "ContainerNotFound", "the container does not exist"),
        (301, "PermanentRedirect", "the bucket is in another region"),
        (403, "RequestTimeTooSkewed", "the clock of this machine is wrong"),
    ],
)
def test_what_fails_for_every_object_is_an_error_of_the_source(bucket, status, code, said):
    bucket.proxy.answer("1.jpg", status, code, times=5)
    message = reason(bucket, kind=SourceUnavailableError)
    assert message.startswith(f"nothing can be read from {bucket.url}: {said}. ")
    assert len(bucket.proxy.requests) == 1


@pytest.mark.parametrize(("status", "code"), [(500, "InternalError"), (503, "SlowDown"), (429, ""), (408, "")])
def test_what_may_pass_is_tried_again(bucket, status, code):
    bucket.proxy.answer("1.jpg", status, code, times=1)
    with counting() as traffic:
        assert read_media(f"{bucket.url}/1.jpg") == b"12345"
    assert len(bucket.proxy.requests) == traffic.requests == 2
    assert traffic.bytes == 5
    bucket.proxy.answer("1.jpg", status, code, times=2)
    assert reason(bucket).endswith("(2 times in a row)")
    assert len(bucket.proxy.requests) == 4


def test_an_answer_that_nobody_expects_is_the_files_reason(bucket):
    bucket.proxy.answer("1.jpg", 400, "Peculiar")
    assert reason(bucket) == "the server answered 400 Peculiar"


def test_a_server_that_stalls_is_not_waited_for_longer_than_the_time_limit(bucket):
    bucket.proxy.stall("1.jpg", 3, times=2)
    began = time.monotonic()
    assert reason(bucket) == "the server did not answer in time (2 times in a row)"
    assert 2 <= time.monotonic() - began < 6
    assert read_media(f"{bucket.url}/1.jpg") == b"12345"


def test_a_connection_that_breaks_in_the_middle_is_made_again(bucket):
    bucket.proxy.break_off("1.jpg", 1_000, times=1)
    assert read_media(f"{bucket.url}/1.jpg") == b"12345"
    bucket.proxy.break_off("1.jpg", 1_000, times=2)
    assert reason(bucket) == "the connection broke (2 times in a row)"


def test_a_video_whose_connection_breaks_is_read_on(bucket):
    data = bytes(range(256)) * 20_000
    bucket.put({"v.mp4": data})
    with open_media(f"{bucket.url}/v.mp4") as file:
        first = file.read(1_000)
        bucket.proxy.answer("v.mp4", 500, times=1)
        assert first + file.read() == data


def test_a_server_that_is_not_there_is_an_error_of_the_source(s3):
    use(s3, endpoint="http://127.0.0.1:9")
    message = reason(s3, kind=SourceUnavailableError)
    assert "the server cannot be reached (2 times in a row). Check the endpoint" in message
    use(s3, endpoint="http://saccade.invalid")
    assert "the name of the server is not known" in reason(s3, kind=SourceUnavailableError)


def test_a_server_without_encryption_must_be_named_so(s3):
    use(s3, endpoint=s3.proxy.endpoint.replace("http:", "https:"))
    assert "nothing can be read" in reason(s3, kind=SourceUnavailableError)


def test_no_credentials_are_an_error_of_the_source_that_says_what_to_do(s3):
    options = {name: value for name, value in s3.options.items() if "key" not in name}
    # Where a machine of the cloud would ask for its own credentials.
    source = sc.Datasource(s3.url, **options, metadata_endpoint=f"{s3.proxy.endpoint}/nothing", retries=0)
    with pytest.raises(SourceUnavailableError, match=r"there are no credentials. Give them in the options"):
        list(source.files())
    with pytest.raises(DatasourceError, match=r"cannot be opened: there are no credentials"):
        list(sc.Datasource(s3.url, **options, access_key_id="half").files())


def test_wrong_credentials_are_refused_by_azure(azure):
    wrong = ACCOUNT_KEY.replace("E", "F", 1)
    with pytest.raises(SourceUnavailableError, match="the account refuses access"):
        list(sc.Datasource(azure.url, **{**azure.options, "account_key": wrong}).files())
    with pytest.raises(DatasourceError, match="the credentials have no valid form"):
        list(sc.Datasource(azure.url, **{**azure.options, "account_key": "???"}).files())


def test_wrong_buckets_are_errors_of_the_source(bucket):
    with pytest.raises(SourceUnavailableError, match=r"does not exist\. Check its name"):
        list(sc.Datasource(bucket.url + "0", **bucket.options).files())


def test_a_file_may_be_called_like_an_error(bucket):
    for name in (
        "timed out.jpg",
        "dns error/kind: Connect.jpg",
        'MissingAccount "certificate".jpg',
        "<Code>NoSuchBucket<.jpg",
    ):
        assert reason(bucket, name) == "the file does not exist"


def test_an_outage_is_no_storm(s3):
    source = use(s3, retries=5)
    s3.proxy.answer("", 503, "SlowDown", times=1e9)
    names = (f"{n}.jpg" for n in itertools.count())
    lock, ended, recorded = threading.Lock(), [], []

    def work():
        while True:
            with lock:
                name = next(names)
            try:
                read_media(f"{s3.url}/{name}")
            except UnreadableMediaError as error:
                recorded.append(str(error))
            except SourceUnavailableError as error:
                ended.append(str(error))
                return

    threads = [threading.Thread(target=work) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(100)
    assert len(ended) == 32
    assert all("the server asks for fewer requests" in message for message in ended)
    assert len(s3.proxy.requests) <= 300 + 32 + len(recorded) + 32
    s3.proxy.faults.clear()
    s3.put({"1.jpg": b"1"})
    assert len(list(source.files())) == 1  # it is there again as soon as the server is


def test_an_option_that_the_backend_stumbles_over_is_named_and_its_value_is_not():
    source = Datasource("s3://bucket", allow_http="hunter2")
    with pytest.raises(DatasourceError, match="allow_http") as caught:
        next(source.files())
    assert "hunter2" not in str(caught.value)
