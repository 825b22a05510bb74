"""Which files are images and which are videos, by the endings of their names."""

import re

_IMAGE = re.compile(
    r"(?!\.).+\.(avif|bmp|gif|heic|heif|jfif|jp2|jpeg|jpg|pbm|pgm|png|pnm|ppm|tif|tiff|webp)", re.IGNORECASE | re.DOTALL
)
_VIDEO = re.compile(r"(?!\.).+\.(3gp|avi|m4v|mkv|mov|mp4|mpeg|mpg|ts|webm|wmv)", re.IGNORECASE | re.DOTALL)


def is_image(name: str) -> bool:
    """Whether a file counts as an image by its ending; hidden files do not.

    Example:
        >>> is_image("Photo.JPG"), is_image("notes.txt"), is_image("._Photo.JPG")
        (True, False, False)
    """
    return _IMAGE.fullmatch(name) is not None


def is_video(name: str) -> bool:
    """Whether a file counts as a video by its ending; hidden files do not.

    Example:
        >>> is_video("Drive.MP4"), is_video("drive.jpg")
        (True, False)
    """
    return _VIDEO.fullmatch(name) is not None
