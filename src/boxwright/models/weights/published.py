"""The list of published pretrained models.

Names, speeds and AP of the SSDs are those of the TensorFlow 1 Detection Model Zoo
(github.com/tensorflow/models, research/object_detection/g3doc/tf1_detection_zoo.md), and of the
TensorFlow 2 Detection Model Zoo (tf2_detection_zoo.md), whose speeds are of another GPU and left
out. The pages have no sizes or checksums; those below were published by other projects that depend
on the archives (OpenVINO's open_model_zoo, TensorFlow's own workspace). AP of NanoDet-Plus is that
of its authors
(github.com/RangiLyu/nanodet), of the .onnx files of their release v1.0.0-alpha-1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

BUCKET = "https://storage.googleapis.com/download.tensorflow.org/models"
NANODET = "https://github.com/RangiLyu/nanodet/releases/download/v1.0.0-alpha-1"
NANODET_NCNN = (
    "https://raw.githubusercontent.com/Deepdive543443/ncnn-android-nanodet/"
    "4dfacc84c280252f090b38a6e255cac3b4c88638/app/src/main/assets"
)
CHECKPOINT = "model.ckpt"  # the prefix of a checkpoint's files in the zoo's archives
CHECKPOINT_2 = "ckpt-0"  # in those of TensorFlow 2


@dataclass(frozen=True)
class Published:
    """A published pretrained model.

    Attributes:
        name: its name in the zoo.
        model: the architecture, as `--model` names it.
        urls: addresses of an archive, .zip or .tar.gz, or of the weight files.
        weights: the weights inside the archive: a .tflite file or the prefix of a checkpoint; or
            the weight file to read.
        family: the detector family.
        size: bytes to download; None if unknown.
        coco_ap: AP on the COCO validation set, 0 to 1, rounded as published; None if unknown.
        speed: milliseconds for an image of 600 x 600 on the publisher's GPU (GeForce GTX TITAN X),
            including pre- and post-processing; None if unknown.
        sha256: known checksums by file name, of downloads or of files in them.
        license: license of the weights.
    """

    name: str
    model: str
    urls: tuple[str, ...]
    weights: str = CHECKPOINT
    family: str = "ssd"
    size: int | None = None
    coco_ap: float | None = None
    speed: int | None = None
    sha256: Mapping[str, str] = field(default_factory=dict)
    license: str = "Apache-2.0"

    @property
    def downloads(self) -> tuple[str, ...]:
        """The file names of the downloads."""
        return tuple(map(file_name, self.urls))

    @property
    def folder(self) -> str:
        """The name of the folder in the archive, which is also an alias of the model."""
        first = self.downloads[0]
        return first.removesuffix(".zip").removesuffix(".tar.gz") if _packed(first) else self.name

    @property
    def files(self) -> tuple[str, ...]:
        """The names of the weight files."""
        if not _packed(self.downloads[0]):
            return self.downloads
        if self.weights not in {CHECKPOINT, CHECKPOINT_2}:
            return (self.weights,)
        return (f"{self.weights}.index", f"{self.weights}.data-00000-of-00001")


def file_name(url: str) -> str:
    """The name of the file that a URL leads to."""
    return url.rpartition("/")[2]


def _packed(download: str) -> bool:
    return download.endswith((".zip", ".tar.gz"))


def _of_zoo(
    name: str,
    model: str,
    folder: str,
    *,
    coco_ap: float,
    speed: int,
    size: int | None = None,
    sha256: str | None = None,
) -> Published:
    archive = f"{folder}.tar.gz"
    return Published(
        name,
        model,
        (f"{BUCKET}/object_detection/{archive}",),
        size=size,
        coco_ap=coco_ap,
        speed=speed,
        sha256={archive: sha256} if sha256 else {},
    )


def _of_zoo_2(kind: str, side: int, *, model: str, family: str, coco_ap: float) -> Published:
    name = f"{kind}_{side}x{side}_coco17"
    return Published(
        name,
        model,
        (f"{BUCKET}/object_detection/tf2/20200711/{name}_tpu-8.tar.gz",),
        weights=CHECKPOINT_2,
        family=family,
        coco_ap=coco_ap,
    )


def _of_nanodet(kind: str, side: int, *, coco_ap: float) -> Published:
    file = f"nanodet-plus-{kind.replace('_', '-')}_{side}.onnx"
    return Published(
        f"nanodet_plus_{kind}_{side}_coco_onnx",
        f"nanodet_plus_{kind}",
        (f"{NANODET}/{file}",),
        weights=file,
        family="nanodet_plus",
        coco_ap=coco_ap,
    )


SSD_QUANT = Published(
    name="ssd_mobilenet_v1_coco_quant",
    model="ssd_mobilenet_v1",
    urls=(f"{BUCKET}/tflite/coco_ssd_mobilenet_v1_1.0_quant_2018_06_29.zip",),
    weights="detect.tflite",
    size=2_700_000,
    sha256={"detect.tflite": "e4b118e5e4531945de2e659742c7c590f7536f8d0ed26d135abcfe83b4779d13"},
)
NANODET_M = Published(
    name="nanodet_plus_m_320_coco",
    model="nanodet_plus_m",
    urls=tuple(f"{NANODET_NCNN}/nanodet-plus-m_320.{suffix}" for suffix in ("bin", "param")),
    weights="nanodet-plus-m_320.param",
    family="nanodet_plus",
    size=2_418_870,
    coco_ap=0.27,
    sha256={
        "nanodet-plus-m_320.bin": (
            "491f4b99a1e9edda04d70815814c953a6a134033378060227c1aa261175111ad"
        ),
        "nanodet-plus-m_320.param": (
            "b93f9ff62a189aaaf00792d52bbaf20ad56ebaf2c49c8dac8d7c335d8464c362"
        ),
    },
)
MODELS = (
    NANODET_M,
    _of_nanodet("m", 416, coco_ap=0.304),
    _of_nanodet("m_1.5x", 416, coco_ap=0.341),
    _of_nanodet("m_1.5x", 320, coco_ap=0.299),
    SSD_QUANT,
    _of_zoo(
        "ssd_mobilenet_v1_coco",
        "ssd_mobilenet_v1",
        "ssd_mobilenet_v1_coco_2018_01_28",
        coco_ap=0.21,
        speed=30,
        size=76_541_073,
        sha256="8788f89108519fd1102b8a5c2ac861cf6d86603571b6ce5bbd1c245b7fe005e3",
    ),
    _of_zoo(
        "ssd_mobilenet_v1_0.75_depth_coco",
        "ssd_mobilenet_v1",
        "ssd_mobilenet_v1_0.75_depth_300x300_coco14_sync_2018_07_03",
        coco_ap=0.18,
        speed=26,
    ),
    _of_zoo(
        "ssd_mobilenet_v1_quantized_coco",
        "ssd_mobilenet_v1",
        "ssd_mobilenet_v1_quantized_300x300_coco14_sync_2018_07_18",
        coco_ap=0.18,
        speed=29,
        sha256="09280972c5777f1aa775ef67cb4ac5d5ed21970acd8535aeca62450ef14f0d79",
    ),
    _of_zoo(
        "ssd_mobilenet_v1_0.75_depth_quantized_coco",
        "ssd_mobilenet_v1",
        "ssd_mobilenet_v1_0.75_depth_quantized_300x300_coco14_sync_2018_07_18",
        coco_ap=0.16,
        speed=29,
    ),
    _of_zoo(
        "ssd_mobilenet_v2_coco",
        "ssd_mobilenet_v2",
        "ssd_mobilenet_v2_coco_2018_03_29",
        coco_ap=0.22,
        speed=31,
        size=187_925_923,
        sha256="b9380178b2e35333f1a735e39745928488bdabeb9ed20bc6fa07af8172cb5adc",
    ),
    _of_zoo(
        "ssd_mobilenet_v2_quantized_coco",
        "ssd_mobilenet_v2",
        "ssd_mobilenet_v2_quantized_300x300_coco_2019_01_03",
        coco_ap=0.22,
        speed=29,
        size=144_806_142,
    ),
    _of_zoo(
        "ssdlite_mobilenet_v2_coco",
        "ssdlite_mobilenet_v2",
        "ssdlite_mobilenet_v2_coco_2018_05_09",
        coco_ap=0.22,
        speed=27,
        size=51_025_348,
        sha256="542445cce834dbfbb7df1991425d475e85a2d7ec68c60a4f262bb18aac10c8b2",
    ),
    _of_zoo_2("ssd_mobilenet_v2", 320, model="ssd_mobilenet_v2", family="ssd", coco_ap=0.202),
    *(
        _of_zoo_2(kind, side, model=kind, family="ssd_fpn", coco_ap=coco_ap)
        for kind, side, coco_ap in (
            ("ssd_mobilenet_v2_fpnlite", 320, 0.222),
            ("ssd_mobilenet_v2_fpnlite", 640, 0.282),
            ("ssd_mobilenet_v1_fpn", 640, 0.291),
        )
    ),
)


@dataclass(frozen=True)
class Model:
    """A model that `--model` names; its first weights in `MODELS` are the usual ones.

    Attributes:
        name: its name.
        parameters: millions of weights, for 80 or 90 classes; None if that depends on the weights.
        good_for: what it is good for, a phrase.
    """

    name: str
    parameters: float | None
    good_for: str

    @property
    def weights(self) -> tuple[Published, ...]:
        """Its published weights, the usual ones first."""
        return tuple(each for each in MODELS if each.model == self.name)

    @property
    def coco_ap(self) -> float | None:
        """The highest AP on COCO of its weights; None if none is known."""
        return max((each.coco_ap for each in self.weights if each.coco_ap), default=None)


CHOICES = (
    Model("nanodet_plus_m", 1.2, "most data: AP after few images"),
    Model("nanodet_plus_m_1.5x", 2.5, "higher AP in twice the time"),
    Model("ssd_mobilenet_v1", 6.8, "TensorFlow 1 graphs, and QAT"),
    Model("ssd_mobilenet_v2", None, "runs of the Object Detection API"),
    Model("ssdlite_mobilenet_v2", 4.5, "runs of the Object Detection API"),
    Model("ssd_mobilenet_v2_fpnlite", 2.7, "runs of its TensorFlow 2 version"),
    Model("ssd_mobilenet_v1_fpn", 12.1, "runs of its TensorFlow 2 version"),
)
