"""Annotations as the tools write them, all of one photo a.jpg of 64 x 48 pixels with one cat."""

from __future__ import annotations

COCO_ROBOFLOW = """{
 "info": {"year": "2024", "version": "1", "description": "Exported from roboflow.com"},
 "licenses": [{"id": 1, "url": "https://creativecommons.org/licenses/by/4.0/", "name": "CC BY"}],
 "categories": [{"id": 0, "name": "pets", "supercategory": "none"},
                {"id": 1, "name": "cat", "supercategory": "pets"},
                {"id": 2, "name": "dog", "supercategory": "pets"}],
 "images": [{"id": 0, "license": 1, "file_name": "a.jpg", "height": 48, "width": 64,
             "date_captured": "2024-03-01T10:00:00+00:00", "extra": {"name": "a.jpg"}}],
 "annotations": [{"id": 0, "image_id": 0, "category_id": 1, "bbox": [4, 6, 26, 34], "area": 884,
                  "segmentation": [], "iscrowd": 0}]
}"""

COCO_2017 = """{"info": {"description": "COCO 2017 Dataset", "url": "http://cocodataset.org"},
"licenses": [{"url": "http://creativecommons.org/licenses/by-nc-sa/2.0/", "id": 1, "name": "BY"}],
"images": [{"license": 1, "file_name": "a.jpg", "coco_url": "http://x/train2017/a.jpg",
"height": 48, "width": 64, "date_captured": "2013-11-14 17:02:52", "flickr_url": "", "id": 397133}],
"annotations": [{"segmentation": [[4.0, 6.0, 30.0, 6.0, 30.0, 40.0, 4.0, 40.0]], "area": 884.0,
"iscrowd": 0, "image_id": 397133, "bbox": [4.0, 6.0, 26.0, 34.0], "category_id": 17, "id": 82445},
{"segmentation": {"counts": [0, 48], "size": [48, 64]}, "area": 48, "iscrowd": 1,
"image_id": 397133, "bbox": [0, 0, 1, 48], "category_id": 18, "id": 900100}],
"categories": [{"supercategory": "animal", "id": 18, "name": "dog"},
{"supercategory": "animal", "id": 17, "name": "cat"},
{"supercategory": "person", "id": 1, "name": "person"}]}"""

LABELME = """{
  "version": "5.4.1",
  "flags": {},
  "shapes": [
    {"label": "cat", "points": [[30.0, 40.0], [4.0, 6.0]], "group_id": null, "description": "",
     "shape_type": "rectangle", "flags": {}, "mask": null}
  ],
  "imagePath": "a.jpg",
  "imageData": "/9j/4AAQSkZJRgABAQEASABIAAD",
  "imageHeight": 48,
  "imageWidth": 64
}"""

LABELME_OLD_EMPTY = '{"imageData": "/9j/4AAQSk", "imagePath": "a.jpg", "shapes": []}'

CREATEML_ROBOFLOW = """[{"image":"a.jpg","annotations":[{"label":"cat","coordinates":
{"x":17,"y":23,"width":26,"height":34}}]}]"""

CREATEML_APPLE = """[ { "imagefilename": "a.jpg", "annotation": [ { "coordinates":
{ "y": 23.0, "x": 17.0, "height": 34.0, "width": 26.0 }, "label": "cat" } ] } ]"""

CREATEML_LABELIMG = """[{"image": "a.jpg", "verified": false, "annotations": [{"label": "cat",
"coordinates": {"x": 17.0, "y": 23.0, "width": 26.0, "height": 34.0}}]}]"""

CREATEML_EMPTY = '[{"image": "a.jpg", "annotations": []}]'

LABELSTUDIO = """[{"id": 12, "annotations": [{"id": 7, "completed_by": 1, "result": [
 {"original_width": 64, "original_height": 48, "image_rotation": 0,
  "value": {"x": 6.25, "y": 12.5, "width": 40.625, "height": 70.83333333333333, "rotation": 0,
            "rectanglelabels": ["cat"]},
  "id": "hq2kTlDqRe", "from_name": "label", "to_name": "image", "type": "rectanglelabels",
  "origin": "manual"}], "was_cancelled": false, "ground_truth": false, "lead_time": 8.1,
  "created_at": "2024-03-01T10:00:00.000000Z", "result_count": 1, "task": 12}],
 "file_upload": "8a1f03bc-a.jpg", "drafts": [], "predictions": [],
 "data": {"image": "/data/upload/3/8a1f03bc-a.jpg"}, "meta": {}, "inner_id": 1, "project": 3}]"""

LABELSTUDIO_MIN = """[{"image": "/data/upload/3/8a1f03bc-a.jpg", "id": 12, "label": [
 {"x": 6.25, "y": 12.5, "width": 40.625, "height": 70.83333333333333, "rotation": 0,
  "rectanglelabels": ["cat"], "original_width": 64, "original_height": 48}],
 "annotator": 1, "annotation_id": 7, "created_at": "2024-03-01T10:00:00.000000Z"}]"""

LABELSTUDIO_OLD = """[{"completions": [{"id": 1001, "lead_time": 3.5, "result": [
 {"from_name": "label", "id": "a", "original_height": 48, "original_width": 64,
  "to_name": "image", "type": "rectanglelabels",
  "value": {"height": 70.83333333333333, "rectanglelabels": ["cat"], "rotation": 0,
            "width": 40.625, "x": 6.25, "y": 12.5}}]}],
 "data": {"image": "http://localhost:8080/data/upload/a.jpg"}, "id": 0}]"""

VOTT_EXPORT = """{
    "name": "Pets", "securityToken": "Pets Token",
    "videoSettings": {"frameExtractionRate": 15},
    "tags": [{"name": "dog", "color": "#5db300"}, {"name": "cat", "color": "#e81123"}],
    "id": "Qtx6-QZeO",
    "activeLearningSettings": {"autoDetect": false, "predictTag": true, "modelPathType": "coco"},
    "version": "2.2.0", "lastVisitedAssetId": "d653dc7ce9fd74b6c76b1ec6a10fe49a",
    "assets": {
        "d653dc7ce9fd74b6c76b1ec6a10fe49a": {
            "asset": {"format": "jpg", "id": "d653dc7ce9fd74b6c76b1ec6a10fe49a", "name": "a.jpg",
                      "path": "file:C%3A%5CUsers%5Cme%5Cmy%20pets%5Ca.jpg",
                      "size": {"width": 64, "height": 48}, "state": 2, "type": 1},
            "regions": [{"id": "dWQwi37no", "type": "RECTANGLE", "tags": ["cat"],
                         "boundingBox": {"height": 34, "width": 26, "left": 4, "top": 6},
                         "points": [{"x": 4, "y": 6}, {"x": 30, "y": 6},
                                    {"x": 30, "y": 40}, {"x": 4, "y": 40}]}],
            "version": "2.2.0"
        }
    }
}"""

VOTT_ASSET = """{
    "asset": {"format": "jpg", "id": "d653dc7ce9fd74b6c76b1ec6a10fe49a", "name": "a.jpg",
              "path": "file:/home/me/pets/a.jpg", "size": {"width": 64, "height": 48},
              "state": 2, "type": 1},
    "regions": [{"id": "dWQwi37no", "type": "RECTANGLE", "tags": ["cat"],
                 "boundingBox": {"height": 34, "width": 26, "left": 4, "top": 6},
                 "points": [{"x": 4, "y": 6}, {"x": 30, "y": 6}, {"x": 30, "y": 40}]}],
    "version": "2.2.0"
}"""

VOTT_1 = """{"frames":{"a.jpg":[{"x1":8,"y1":12,"x2":60,"y2":80,"width":128,"height":96,
"box":{"x1":8,"y1":12,"x2":60,"y2":80},"UID":"b5a4a2b2","id":0,"type":"Rectangle",
"tags":["cat"],"name":1}]},"framerate":"1","inputTags":"dog,cat","suggestiontype":"track",
"scd":false,"visitedFrames":["a.jpg"],"tag_colors":["#117B76","#ED62A7"]}"""

VIA_PROJECT = """{"_via_settings": {"ui": {"annotation_editor_height": 25, "leftsidebar_width": 18,
"image_grid": {"img_height": 80, "rshape_fill": "none"}, "image": {"region_label": "name"}},
"core": {"buffer_size": 18, "filepath": {}, "default_filepath": ""}, "project": {"name": "pets"}},
"_via_img_metadata": {"a.jpg1234": {"filename": "a.jpg", "size": 1234, "regions": [
{"shape_attributes": {"name": "rect", "x": 4, "y": 6, "width": 26, "height": 34},
"region_attributes": {"pet": "cat"}}], "file_attributes": {}}},
"_via_attributes": {"region": {"pet": {"type": "dropdown", "description": "", "options": {"dog": "",
"cat": ""}, "default_options": {}}}, "file": {}}, "_via_data_format_version": "2.0.10",
"_via_image_id_list": ["a.jpg1234"]}"""

VIA_2 = """{"a.jpg1234":{"filename":"a.jpg","size":1234,"regions":[{"shape_attributes":{
"name":"rect","x":4,"y":6,"width":26,"height":34},"region_attributes":{"name":"cat"}}],"file_attributes":{}}}"""

VIA_1 = """{"a.jpg1234":{"fileref":"","size":1234,"filename":"a.jpg","base64_img_data":"",
"file_attributes":{},"regions":{"0":{"shape_attributes":{"name":"polygon","all_points_x":[4,30,30,4],
"all_points_y":[6,6,40,40]},"region_attributes":{"name":"cat"}}}}}"""

VIA_EMPTY = """{"a.jpg1234":{"filename":"a.jpg","size":1234,"regions":[],"file_attributes":{}}}"""

SUPERVISELY = """{"description": "", "tags": [], "size": {"height": 48, "width": 64}, "objects": [
{"id": 497521359, "classId": 1661571, "description": "", "geometryType": "rectangle",
"labelerLogin": "me", "createdAt": "2024-08-07T11:09:51.054Z",
"updatedAt": "2024-08-07T11:09:51.054Z", "tags": [], "classTitle": "cat",
"points": {"exterior": [[4, 6], [30, 40]], "interior": []}}]}"""

SUPERVISELY_OLD = """{"name": "a", "tags": ["train"], "description": "", "objects": [
{"description": "", "tags": [], "bitmap": null, "classTitle": "cat",
"points": {"exterior": [[4, 6], [30, 6], [30, 40], [4, 40]], "interior": []}}],
"size": {"width": 64, "height": 48}}"""

SUPERVISELY_EMPTY = """{"description": "", "tags": [], "size": {"height": 48, "width": 64},
"objects": []}"""

SAMPLES = {
    "via-project": VIA_PROJECT,
    "via-2": VIA_2,
    "via-1": VIA_1,
    "via-empty": VIA_EMPTY,
    "supervisely": SUPERVISELY,
    "supervisely-old": SUPERVISELY_OLD,
    "supervisely-empty": SUPERVISELY_EMPTY,
    "coco-roboflow": COCO_ROBOFLOW,
    "coco-2017": COCO_2017,
    "labelme": LABELME,
    "labelme-old-empty": LABELME_OLD_EMPTY,
    "createml-roboflow": CREATEML_ROBOFLOW,
    "createml-apple": CREATEML_APPLE,
    "createml-labelimg": CREATEML_LABELIMG,
    "createml-empty": CREATEML_EMPTY,
    "labelstudio": LABELSTUDIO,
    "labelstudio-min": LABELSTUDIO_MIN,
    "labelstudio-old": LABELSTUDIO_OLD,
    "vott-export": VOTT_EXPORT,
    "vott-asset": VOTT_ASSET,
    "vott-1": VOTT_1,
}
