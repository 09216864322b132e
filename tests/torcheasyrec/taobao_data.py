# SPDX-License-Identifier: Apache-2.0
"""Writes generated rows of the shape of TorchEasyRec's Taobao example: users, advertisements, clicks and purchases.

    python3 tests/torcheasyrec/taobao_data.py data --rows 4000

The folder gets, for training (three quarters of the rows) and evaluation (the last quarter):
  taobao/{train,eval}.csv              raw rows, with a header
  taobao_no_header/{train,eval}.csv    the same without a header; the order of the columns is RAW_COLUMNS
  taobao_generated/{train,eval}.csv    values after feature generation (FG_BUCKETIZE)
  taobao_encoded/{train,eval}.csv      ids and numbers after encoding (FG_NONE), several values joined by "\\x03"

Rows of one session stand together. What is clicked depends on user and advertisement, and on whether the category and the
brand of the advertisement stand among the user's last clicks; what is bought, besides, on the user's shopping_level. A twelfth
of the sessions has no history, and a few single values are missing. The same arguments give the same bytes.
"""
import argparse
import csv
import math
import pathlib
import random

USERS, ADVERTISEMENTS, CATEGORIES, CAMPAIGNS, CUSTOMERS, BRANDS = 400, 240, 30, 80, 50, 40
POSITIONS = ["430539_1007", "430548_1007"]
WORDS = "bag boot cap coat dress glove hat jacket jeans scarf shirt shoe silk skirt sock wool".split()
EVENTS = ["click", "cart", "collect", "buy"]
LONGEST_HISTORY = 12

USER_COLUMNS = ["user_id", "cms_segid", "cms_group_id", "final_gender_code", "age_level", "pvalue_level",
                "shopping_level", "occupation", "new_user_class_level"]
ITEM_COLUMNS = ["adgroup_id", "cate_id", "campaign_id", "customer", "brand", "price"]
LIST_COLUMNS = ["tag_category_list", "tag_brand_list", "interests", "user_words", "title_words", "user_word_weights",
                "title_word_weights", "last_items", "last_items_valid", "events", "picture", "user_picture"]
MAP_COLUMNS = ["user_cate_counts", "user_cate_brand_counts"]
SEQUENCE_COLUMNS = [f"click_50_seq__{name}" for name in (
    "adgroup_id", "cate_id", "brand", "price", "ts", "title_words", "title_word_weights", "valid", "event")]
SEQUENCE_COLUMNS += ["buy_10_seq__cate_id", "buy_10_seq__brand", "view_cate_seq", "view_price_seq"]
LABEL_COLUMNS = ["session_id", "row_weight", "clk", "buy"]
RAW_COLUMNS = USER_COLUMNS + ITEM_COLUMNS + ["pid"] + LIST_COLUMNS + MAP_COLUMNS + SEQUENCE_COLUMNS + LABEL_COLUMNS

PRICE_BOUNDARIES = [20, 50, 100, 200, 500]
COUNT_BOUNDARIES = [1, 2, 3, 5]


class Advertisement:
    def __init__(self, number, chance):
        self.adgroup_id = number
        self.cate_id = chance.randrange(CATEGORIES)
        self.campaign_id = chance.randrange(CAMPAIGNS)
        self.customer = chance.randrange(CUSTOMERS)
        self.brand = (self.cate_id * 3 + chance.randrange(6)) % BRANDS
        self.price = round(math.exp(chance.gauss(4.2 + self.cate_id % 3 * 0.4, 0.8)), 2)
        # A third of the words tells of the category.
        self.words = [WORDS[self.cate_id % len(WORDS)]] + chance.sample(WORDS, 2)
        self.quality = chance.gauss(0, 0.7) + [0.7, -0.4, 0.1][self.cate_id % 3]
        self.picture = [round(math.cos(self.cate_id + k) + chance.gauss(0, 0.1), 3) for k in range(4)]


class User:
    def __init__(self, number, chance):
        self.user_id = number
        self.cms_segid = chance.randrange(97)
        self.cms_group_id = chance.randrange(13)
        self.final_gender_code = chance.choice([1, 2])
        self.age_level = chance.randrange(7)
        self.pvalue_level = chance.choice(["", 1, 1, 2, 2, 3])
        self.shopping_level = chance.choice([1, 2, 3, 3])
        self.occupation = chance.choice([0, 0, 1])
        self.new_user_class_level = chance.choice(["", 1, 2, 3, 4])
        self.tastes = chance.sample(range(CATEGORIES), 3)
        self.picture = [round(math.cos(self.tastes[0] + k), 3) for k in range(4)]


def history_of(user, by_category, chance):
    """The advertisements that the user clicked last, the latest first."""
    if chance.random() < 1 / 12:
        return []
    wanted = [chance.choice(user.tastes) if chance.random() < 0.7 else chance.randrange(CATEGORIES)
              for _ in range(chance.randint(1, LONGEST_HISTORY))]
    return [chance.choice(by_category[category]) for category in wanted if by_category[category]]


def pairs(weights, separator):
    return separator.join(f"{key}:{value:g}" for key, value in weights.items())


def counts(values):
    found = {}
    for value in values:
        found[value] = found.get(value, 0) + 1
    return found


def session_cells(user, history, chance):
    """Columns that are equal in all rows of a session."""
    cells = {name: getattr(user, name) for name in USER_COLUMNS}
    words = counts(word for item in history for word in item.words)
    total = sum(words.values())
    nested = {}
    for item in history:
        nested.setdefault(item.cate_id, []).append(item.brand)
    bought = [item for item in history if chance.random() < 0.25]
    # A single position has a value: one that has none would look like no position in a cell.
    valid = [chance.random() < 0.8 or len(history) == 1 for _ in history]
    events = [chance.choice(EVENTS) if len(history) > 1 else EVENTS[0] for _ in history]
    started = 0
    cells |= {
        "tag_category_list": "|".join(map(str, sorted({item.cate_id for item in history}))),
        "tag_brand_list": "|".join(map(str, sorted({item.brand for item in history}))),
        "interests": pairs({taste: (3 - place) / 4 for place, taste in enumerate(user.tastes)}, "\x1d"),
        "user_words": "|".join(words),
        "user_word_weights": pairs({word: count / total for word, count in words.items()}, "|"),
        "user_picture": "|".join(map(str, user.picture)),
        "last_items": ",".join(str(item.adgroup_id) for item in history[:4]),
        "last_items_valid": ",".join("true" if is_valid else "false" for is_valid in valid[:4]),
        "events": ",".join(events[:3]),
        "user_cate_counts": pairs(counts(item.cate_id for item in history), "\x1d"),
        "user_cate_brand_counts": "|".join(f"{category}^{pairs(counts(brands), ',')}" for category, brands in nested.items()),
        "buy_10_seq__cate_id": ";".join(str(item.cate_id) for item in bought),
        "buy_10_seq__brand": ";".join(str(item.brand) for item in bought),
        "view_cate_seq": ";".join(str(item.cate_id) for item in history[:5]),
        "view_price_seq": ";".join(str(item.price) for item in history[:5]),
    }
    for name in ("adgroup_id", "cate_id", "brand", "price"):
        cells[f"click_50_seq__{name}"] = ";".join(str(getattr(item, name)) for item in history)
    ages = []
    for _ in history:
        started += chance.randint(60, 5000)
        ages.append(started)
    cells["click_50_seq__ts"] = ";".join(map(str, ages))
    cells["click_50_seq__title_words"] = ";".join("|".join(item.words) for item in history)
    cells["click_50_seq__title_word_weights"] = ";".join(pairs(counts(item.words), "|") for item in history)
    cells["click_50_seq__valid"] = ";".join("1" if is_valid else "0" for is_valid in valid)
    cells["click_50_seq__event"] = ";".join(events)
    return cells


def item_cells(item):
    cells = {name: getattr(item, name) for name in ITEM_COLUMNS}
    cells["title_words"] = "|".join(item.words)
    cells["title_word_weights"] = pairs(counts(item.words), "|")
    cells["picture"] = "|".join(map(str, item.picture))
    return cells


def happens(logit, chance):
    return chance.random() < 1 / (1 + math.exp(-logit))


def outcome(user, item, history, position, chance):
    """(clk, buy): a purchase needs a click."""
    same_category = any(one.cate_id == item.cate_id for one in history)
    same_brand = any(one.brand == item.brand for one in history)
    click = -1.2 + 1.5 * same_category + 0.5 * same_brand + item.quality + (0.5 if position == POSITIONS[0] else -0.5)
    click += 0.5 if (user.age_level + item.cate_id) % 2 == user.final_gender_code % 2 else -0.5
    click -= 0.3 * math.log(item.price / 80)
    if not happens(click, chance):
        return 0, 0
    return 1, int(happens(-2.4 + 1.5 * (user.shopping_level - 1) + 0.6 * item.quality + 0.6 * same_brand, chance))


def generate(rows, seed):
    """Dictionaries of cells by column."""
    chance = random.Random(seed)
    items = [Advertisement(number, chance) for number in range(ADVERTISEMENTS)]
    by_category = [[item for item in items if item.cate_id == category] for category in range(CATEGORIES)]
    users = [User(number, chance) for number in range(USERS)]
    made, session = [], 0
    while len(made) < rows:
        session += 1
        user = chance.choice(users)
        history = history_of(user, by_category, chance)
        shared = session_cells(user, history, chance)
        for _ in range(chance.randint(3, 6)):
            wanted = by_category[chance.choice(user.tastes)] if chance.random() < 0.4 else items
            item = chance.choice(wanted or items)
            position = chance.choice(POSITIONS)
            clicked, bought = outcome(user, item, history, position, chance)
            row = shared | item_cells(item) | {"pid": position, "session_id": f"s{session}", "clk": clicked, "buy": bought}
            row["row_weight"] = chance.choice([0.5, 1, 2])
            if chance.random() < 0.02:
                row["price"] = ""
            made.append(row)
    return made[:rows]


def bin_of(value, boundaries):
    return sum(boundary <= value for boundary in boundaries)


SAME_COLUMNS = USER_COLUMNS[:-1] + ["adgroup_id", "cate_id", "brand", "click_50_seq__adgroup_id",
                                    "click_50_seq__cate_id", "click_50_seq__brand", "click_50_seq__price"] + LABEL_COLUMNS


def numbers_of_price(price):
    """What the normalizers of feature_kinds.config make of it."""
    if price == "":
        return {"log_price": math.log10(60), "scaled_price": "", "price_sign": "", "price_line": "", "price_channels": ""}
    logarithm = math.log10(price)
    return {"log_price": logarithm, "scaled_price": (price - 80) / 100, "price_sign": (price > 80) - (price < 80),
            "price_line": logarithm, "price_channels": logarithm}


def share(words, of):
    """The share of the words that are among the others."""
    return sum(word in of for word in words) / len(words)


def dot(one, other):
    """Σ over the keys that both texts "key:number|key:number" have of the product of the numbers."""
    maps = [dict(pair.split(":") for pair in text.split("|") if pair) for text in (one, other)]
    return sum(float(number) * float(maps[1][key]) for key, number in maps[0].items() if key in maps[1])


def numbers_of_words(row):
    title, query = row["title_words"].split("|"), row["user_words"].split("|")
    return {"words_in_title": share(title, query) if row["user_words"] else 0,
            "word_similarity": dot(row["user_word_weights"], row["title_word_weights"])}


def numbers_of_history(row):
    clicks = list(zip(row["click_50_seq__cate_id"].split(";"), row["click_50_seq__brand"].split(";")))
    brands = counts(brand for category, brand in clicks if category == str(row["cate_id"]))
    number = sum(brands.values())
    return {"category_clicks": number, "category_clicks_number": math.log(number + 1),
            "category_and_clicks": f"{row['cate_id']}_{number}" if number else "",
            "category_brand_clicks": brands.get(str(row["brand"]), 0),
            "category_any_brand_clicks": max(brands.values(), default=0)}


def is_contained(words, title):
    """Whether the title holds the words in their order."""
    rest = iter(title)
    return int(all(word in rest for word in words))


def sequences(row):
    """The features of sequence_kinds.config, by name: one value per position."""
    def positions(name):
        return row[name].split(";") if row[name] else []

    clicks = {name: positions(f"click_50_seq__{name}") for name in (
        "adgroup_id", "cate_id", "brand", "price", "ts", "title_words", "title_word_weights", "valid", "event")}
    views = positions("view_cate_seq"), [float(price) for price in positions("view_price_seq")]
    pairs_of_clicks = list(zip(clicks["cate_id"], clicks["brand"]))
    query = row["user_words"].split("|")
    titles = [words.split("|") for words in clicks["title_words"]]
    weights = [dot(row["user_word_weights"], one) for one in clicks["title_word_weights"]]
    valid = [item if one == "1" else "" for item, one in zip(clicks["adgroup_id"], clicks["valid"])]
    inside = {
        "ts": [math.log10(float(age)) for age in clicks["ts"]],
        "age_and_category": [f"{row['age_level']}_{category}" for category in clicks["cate_id"]],
        "category_clicks": [clicks["cate_id"].count(category) for category in clicks["cate_id"]],
        "category_brand_clicks": [pairs_of_clicks.count(pair) for pair in pairs_of_clicks],
        "dear": [int(float(price) > 50 * row["shopping_level"]) for price in clicks["price"]],
        "same_words": [share(query, title) for title in titles],
        "word_similarity": weights,
        "valid_item": valid,
        "event_value": [{"click": 1, "cart": 2, "collect": 2, "buy": 4}[event] for event in clicks["event"]],
    }
    alone = {
        "view_cate_seq": views[0],
        "view_price_seq": [(price - 80) / 100 for price in views[1]],
        "view_age_category_seq": [f"{row['age_level']}_{category}" for category in views[0]],
        "view_clicks_seq": [clicks["cate_id"].count(category) for category in views[0]],
        "view_brand_clicks_seq": [pairs_of_clicks.count((category, str(row["brand"]))) for category in views[0]],
        "view_price_gap_seq": [math.log(price / row["price"]) if row["price"] != "" else 0 for price in views[1]],
        "click_words_seq": [is_contained(query, title) for title in titles],
        "click_similarity_seq": weights,
        "click_valid_seq": valid,
        "event_seq": [{"click": 1, "buy": 2}.get(event, "") for event in clicks["event"]],
    }
    made = {f"click_50_seq__{name}": values for name, values in inside.items()} | alone
    return {name: ";".join(map(str, values)) for name, values in made.items()}


def generated(row):
    """Feature generation is done: columns are features, those of feature_kinds, sequence_kinds and fg_bucketize.config,
    computed apart from the program; their values are not encoded yet."""
    cells = {name: row[name] for name in SAME_COLUMNS}
    cells |= {name: row[name] for name in ("new_user_class_level", "campaign_id", "customer", "price", "pid", "tag_category_list", "interests", "picture")}
    cells |= sequences(row) | numbers_of_price(row["price"]) | numbers_of_words(row) | numbers_of_history(row)
    pictures = [[float(number) for number in row[name].split("|")] for name in ("picture", "user_picture")]
    items = zip(row["last_items"].split(","), row["last_items_valid"].split(","))
    values = [{"click": 1, "cart": 2, "buy": 4}.get(event, 0) for event in row["events"].split(",")]
    return cells | {
        "age_share": row["age_level"] / 7,
        "age_and_category": f"{row['age_level']}_{row['cate_id']}",
        "price_over_level": int(row["price"] != "" and row["price"] / (50 * row["shopping_level"]) > 1),
        "picture_match": sum(one * other for one, other in zip(*pictures)),
        "valid_items": ",".join(item for item, valid in items if valid == "true"),
        "event_value": max(values) or "",
        "age_bin": row["age_level"],
        "age_bin_and_category": f"{bin_of(row['age_level'], [2, 4])}_{row['cate_id']}",
        "country": {1: 5}.get(row["occupation"], ""),
    }


def encoded(row):
    """All is done: ids are rows of embedding tables."""
    price = "" if row["price"] == "" else bin_of(row["price"], PRICE_BOUNDARIES)
    cells = {name: row[name] for name in SAME_COLUMNS}
    return cells | {"price": price, "pid": POSITIONS.index(row["pid"]),
                    "age_and_category": row["age_level"] * CATEGORIES + row["cate_id"],
                    "category_clicks": bin_of(numbers_of_history(row)["category_clicks"], COUNT_BOUNDARIES),
                    "tag_category_list": row["tag_category_list"].replace("|", "\x03")}


def write_csv(path, rows, columns, header=True):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if header:
            writer.writerow(columns)
        writer.writerows([row[name] for name in columns] for row in rows)


def write_all(folder, rows, seed=7):
    made = generate(rows, seed)
    cut = len(made) * 3 // 4
    for part, share in (("train", made[:cut]), ("eval", made[cut:])):
        write_csv(folder / "taobao" / f"{part}.csv", share, RAW_COLUMNS)
        write_csv(folder / "taobao_no_header" / f"{part}.csv", share, RAW_COLUMNS, header=False)
        for name, change in (("generated", generated), ("encoded", encoded)):
            changed = [change(row) for row in share]
            write_csv(folder / f"taobao_{name}" / f"{part}.csv", changed, list(changed[0]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    write_all(arguments.folder, arguments.rows, arguments.seed)


if __name__ == "__main__":
    main()
