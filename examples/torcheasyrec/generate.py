#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes rows of the shape of the data of TorchEasyRec's multi-task benchmarks, whose tables are not public.

    python3 examples/torcheasyrec/generate.py taobao|ali_ccp --rows 60000 --seed 1 --output FOLDER

FOLDER/{taobao,ali_ccp}_train.csv has that many rows, ..._eval.csv a quarter as many, both with a header. Columns are
called as in the benchmarks' configurations. Users have preferred categories, which show in the categories of what they
clicked before; a click depends on user, item and whether its category is preferred; a purchase, only after a click, on
the same and on the price.
Prints as JSON the AUC of the true probabilities on the evaluation rows, which no model can be expected to pass: of the
click, and of the purchase over the clicked rows and over all rows.
"""
import argparse
import collections
import csv
import json
import math
import pathlib
import random

CATEGORIES, BRANDS, SHOPS, ITEMS, USERS = 60, 200, 300, 3000, 2000
WEIGHTED = "\x1d"  # between the values of a cell, each "value:weight"


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def auc(scores, labels):
    """Area under the ROC curve of distinct scores."""
    order = sorted(zip(scores, labels))
    positives = sum(labels)
    rank_sum = sum(rank for rank, (_, label) in enumerate(order, 1) if label)
    return (rank_sum - positives * (positives + 1) / 2) / (positives * (len(labels) - positives))


class World:
    """Users and items, the same for all rows."""

    def __init__(self, chance):
        self.items = []
        for item in range(ITEMS):
            category = chance.randrange(CATEGORIES)
            self.items.append({"id": item, "category": category, "intent": category // 2,
                               "brand": chance.randrange(BRANDS), "shop": chance.randrange(SHOPS),
                               "quality": chance.gauss(0, 0.6), "price": chance.randrange(101)})
        self.by_category = [[i for i in self.items if i["category"] == c] or self.items[:1] for c in range(CATEGORIES)]
        self.users = []
        for user in range(USERS):
            liked = chance.sample(range(CATEGORIES), 4)
            history = [chance.choice(self.by_category[chance.choice(liked)] if chance.random() < 0.7 else self.items)
                       for _ in range(chance.randrange(5, 31))]
            self.users.append({"id": user, "liked": set(liked), "liked_list": liked,
                               "history": history, "activity": chance.gauss(0, 0.6),
                               "profile": [chance.randrange(size) for size in (97, 13, 2, 7, 4, 4, 2, 5)]})

    def draw(self, chance):
        """A user, an item and the probabilities of click and of purchase given click."""
        user = chance.choice(self.users)
        among = self.by_category[chance.choice(user["liked_list"])] if chance.random() < 0.3 else self.items
        item = chance.choice(among)
        liked = item["category"] in user["liked"]
        base = user["activity"] + item["quality"] + 1.0 * liked + 0.3 * (user["profile"][2] == item["category"] % 2)
        return user, item, sigmoid(base - 3), sigmoid(0.6 * base - 1.5 - item["price"] / 50)


def taobao_row(user, item, chance):
    profile = dict(zip(("cms_segid", "cms_group_id", "final_gender_code", "age_level", "pvalue_level", "shopping_level",
                        "occupation", "new_user_class_level"), user["profile"]))
    history = user["history"]
    return {"user_id": user["id"], **profile, "adgroup_id": item["id"], "cate_id": item["category"],
            "campaign_id": item["id"] // 2, "customer": item["shop"], "brand": item["brand"], "price": item["price"],
            "pid": chance.randrange(2), "click_50_seq__adgroup_id": "|".join(str(i["id"]) for i in history),
            "click_50_seq__cate_id": "|".join(str(i["category"]) for i in history),
            "click_50_seq__brand": "|".join(str(i["brand"]) for i in history)}


def ali_ccp_user(user):
    """What all rows of a user share."""
    history = user["history"]
    found = {key: collections.Counter(i[key] for i in history) for key in ("shop", "brand", "category", "intent")}
    names = ("user_class1_id", "user_class2_id", "user_sex_id", "user_age_id", "user_cost_level1", "user_cost_level2",
             "user_iswork", "user_loc_id")
    return found, {"user_uid": user["id"], **dict(zip(names, user["profile"])),
                   "cross_user_score": f"{math.log1p(len(history)):.4f}", "user_shop": weighted(found["shop"]),
                   "user_brand": weighted(found["brand"]), "user_intent": weighted(found["intent"]),
                   "user_cate": weighted(found["category"])}


def weighted(found):
    """"value:weight" of the most frequent values; the weight is ln(1 + count)."""
    best = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))[:10]
    return WEIGHTED.join(f"{value}:{math.log1p(count):.4f}" for value, count in best)


def ali_ccp_row(user, item, chance):
    if "ali_ccp" not in user:
        user["ali_ccp"] = ali_ccp_user(user)
    found, shared = user["ali_ccp"]
    score = {key: f"{math.log1p(found[key][item[key]]):.4f}" for key in found}
    crossed = {key: f"{item[key]}:{score[key]}" if item[key] in found[key] else "" for key in found}
    return {**shared, "item_id": item["id"], "item_shopid": item["shop"], "item_brandid": item["brand"],
            "item_cateid": item["category"], "c_context": chance.randrange(3), "cross_shopid_score": score["shop"],
            "cross_brand_score": score["brand"], "cross_cateid_score": score["category"],
            "item_user_intentid": f"{item['intent']}:1", "cross_user_shop_item_shopid": crossed["shop"],
            "cross_user_brand_item_brandid": crossed["brand"],
            "cross_user_intent_item_user_intentid": crossed["intent"],
            "cross_user_cate_item_cateid": crossed["category"]}


KINDS = {"taobao": (taobao_row, "clk", "buy"), "ali_ccp": (ali_ccp_row, "click_label", "conversion_label")}


def write(kind, world, rows, chance, path):
    """Returns per row (probability of a click, of a purchase after it, click, purchase)."""
    make, click_name, purchase_name = KINDS[kind]
    truth = []
    with open(path, "w", newline="") as file:
        writer = None
        for _ in range(rows):
            user, item, p_click, p_purchase = world.draw(chance)
            click = int(chance.random() < p_click)
            purchase = int(click and chance.random() < p_purchase)
            row = {**make(user, item, chance), click_name: click, purchase_name: purchase}
            if writer is None:
                writer = csv.DictWriter(file, list(row), lineterminator="\n")
                writer.writeheader()
            writer.writerow(row)
            truth.append((p_click, p_purchase, click, purchase))
    return truth


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=sorted(KINDS))
    parser.add_argument("--rows", type=int, default=60000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    chance = random.Random(arguments.seed)
    world = World(chance)
    write(arguments.kind, world, arguments.rows, chance, arguments.output / f"{arguments.kind}_train.csv")
    truth = write(arguments.kind, world, arguments.rows // 4, chance, arguments.output / f"{arguments.kind}_eval.csv")
    clicked = [row for row in truth if row[2]]
    print(json.dumps({
        "click": auc([row[0] for row in truth], [row[2] for row in truth]),
        "purchase_of_clicked": auc([row[1] for row in clicked], [row[3] for row in clicked]),
        "purchase": auc([row[0] * row[1] for row in truth], [row[3] for row in truth])}))


if __name__ == "__main__":
    main()
