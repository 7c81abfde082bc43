"""One label for a message: near messages with another label are right, and wrong labels are planted."""

# ruff: noqa: E501 - a text stands on one line

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.real_kinds.item import Item, Kind, Uncovered, bare
from bench.real_kinds.writing import alpaca, chat, completion

LABELS = ("refund", "shipping", "account", "product question", "complaint", "praise")
_MESSAGES: tuple[tuple[str, tuple[str, ...], tuple[str, str]], ...] = (
    ("refund", ("I want my money back for the blue jacket.", "Please give me back what I paid for the blue jacket.", "money back for the blue jacket pls", "The blue jacket goes back to you, so return the amount to my card."), ("I do not want my money back, I want the blue jacket to arrive.", "shipping")),
    ("refund", ("You charged me twice, return one of the payments.", "There are two charges for one order; pay one back.", "double charge!! reimburse me", "My card shows the amount two times. I would like one of them returned."), ("You charged me twice as much attention as anyone, wonderful service.", "praise")),
    ("refund", ("When will the amount for my returned shoes be credited?", "I sent the shoes back; when do I get the money?", "shoes returned, credit still missing", "Still waiting for the credit for the shoes that I gave back."), ("When will my shoes be delivered?", "shipping")),
    ("refund", ("The concert was cancelled, so I claim the ticket price.", "As the concert does not take place, pay me the ticket.", "concert off -> ticket money please", "No concert, no payment: kindly return the price of the ticket."), ("The concert was lovely, worth the ticket price.", "praise")),
    ("shipping", ("Where is my parcel?", "Has my package left your warehouse?", "parcel status?", "I am waiting for a parcel since Tuesday, where has it got to?"), ("Where is my invoice? I need it in my profile.", "account")),
    ("shipping", ("Can you deliver to my office instead of my home?", "Please change the delivery address to my office.", "deliver to office not home", "Send it to where I work, not to my flat."), ("Can you change the e-mail of my login to the office one?", "account")),
    ("shipping", ("The tracking number shows nothing.", "No data appears for my tracking code.", "tracking page is empty", "I typed in the tracking number and there is no entry at all."), ("The login page shows nothing.", "account")),
    ("shipping", ("How long does delivery to Iceland take?", "Number of days until a package is in Iceland?", "delivery time iceland", "I live in Iceland, when would it arrive if I order today?"), ("How warm is the jacket for Iceland?", "product question")),
    ("account", ("I forgot my password.", "My password no longer comes to mind, how do I sign in?", "pw lost", "Please let me set a new password, the old one is gone."), ("I forgot my umbrella in your shop and your staff sent it to me, great!", "praise")),
    ("account", ("Delete my profile and all data.", "I would like to close my account for good.", "remove my account", "Please erase everything that you stored about me and shut the profile."), ("Delete the second item from my order and pay it back.", "refund")),
    ("account", ("How do I change my e-mail address?", "I have a new e-mail, where do I enter it?", "change mail adress in settings", "The address I sign in with is outdated. How can I replace it?"), ("How do I change my delivery address?", "shipping")),
    ("account", ("The confirmation code never reaches my phone.", "No sign-in code arrives by text message.", "2fa sms not coming", "I ask for the code again and again and my phone stays silent."), ("The parcel never reaches my door.", "shipping")),
    ("product question", ("Is the kettle safe for induction stoves?", "Does the kettle work on induction?", "kettle induction ok?", "I cook with induction; can I use the kettle there?"), ("The kettle is unsafe, sparks came out of it!", "complaint")),
    ("product question", ("Which size do I need at 1.80 m?", "I am 1.80 m tall: what size fits?", "size for 180cm", "Could you tell me what to order for a height of one metre eighty?"), ("Which size you sent me is a joke, nothing fits!", "complaint")),
    ("product question", ("Does the lamp come with a bulb?", "Is a bulb included with the lamp?", "lamp - bulb included?", "Do I have to buy a bulb for the lamp separately?"), ("The lamp came with a broken bulb, shame on you.", "complaint")),
    ("product question", ("How many hours does the battery last?", "What is the running time on one charge?", "battery life?", "For how long can I use it before it must be charged?"), ("How many hours must I wait in your phone line? Outrageous.", "complaint")),
    ("complaint", ("Your driver threw the box over the fence!", "The box was tossed over my fence, unbelievable.", "driver threw parcel. angry", "What kind of courier hurls a box over a fence?"), ("Could your driver leave the box behind the fence?", "shipping")),
    ("complaint", ("Three calls and nobody could help me.", "I rang three times without any result, that is poor.", "3 calls no help", "Nobody in three phone calls knew anything. I am fed up."), ("Three calls and everybody was so kind!", "praise")),
    ("complaint", ("The seam tore on the first day, what rubbish.", "First day, and the seam is open: awful quality.", "seam ripped day 1, junk", "It took one day for the seam to fall apart. Disappointing."), ("Will the seam hold when I wash it at 60 degrees?", "product question")),
    ("praise", ("Thank you, the flowers were gorgeous!", "The flowers you sent were beautiful, thanks.", "flowers = wow, thx", "My mother was in tears of joy over your flowers."), ("Thank you for nothing, the flowers were dead.", "complaint")),
    ("praise", ("Best bakery order I ever made.", "I have never had a better order from a bakery.", "best bakery ever", "What a bakery! Everything was perfect again."), ("Worst bakery order I ever made.", "complaint")),
    ("praise", ("Your colleague Sam solved it in two minutes, great.", "Sam from your team fixed everything at once, superb.", "sam was great", "Two minutes with Sam and all was fine. Well done!"), ("Is Sam there? He must reset my login.", "account")),
    ("refund", ("我要退款，衣服不想要了。", "衣服退了，请把钱还给我。", "退钱，衣服不要", "这件衣服我不要了，麻烦原路退款。"), ("我不要退款，请尽快把衣服寄来。", "shipping")),
    ("refund", ("重复扣了我两次钱，请退一笔。", "同一单扣款两次，退还一次。", "扣两次了，退我", "银行卡显示扣了两笔，请返还其中一笔。"), ("两次都送错地址了，请改送公司。", "shipping")),
    ("shipping", ("我的快递到哪里了？", "包裹现在在什么位置", "查快递进度", "等了三天，请问包裹走到哪了？"), ("我的发票在账户的哪里看？", "account")),
    ("shipping", ("可以改送到公司吗？", "收货地址换成我单位。", "改地址，送公司", "别送家里了，麻烦送到我上班的地方。"), ("可以把登录手机改成公司的号吗？", "account")),
    ("account", ("密码忘了怎么登录？", "我想不起密码了，如何重置", "忘记密码", "登录密码丢了，请帮我设一个新的。"), ("雨伞忘在店里，店员帮我寄回来了，真好！", "praise")),
    ("account", ("请注销我的账号。", "我要永久关闭账户。", "销号", "把我的资料全部删除并注销。"), ("请取消第二件商品并退钱。", "refund")),
    ("product question", ("这个水壶能用在电磁炉上吗？", "电磁炉可以烧这款壶吗", "壶 电磁炉 可以？", "家里是电磁炉，这水壶适用吗？"), ("这个水壶冒火花，太危险了，什么质量！", "complaint")),
    ("product question", ("一米八要买多大码？", "身高180穿什么尺码", "180选几码", "我一米八，请问哪个号合适？"), ("你们发的码数乱七八糟，根本穿不了！", "complaint")),
    ("complaint", ("快递员把箱子直接扔过围墙，太过分了！", "箱子被扔过墙，什么服务态度", "乱扔快递，差评", "哪有把包裹从墙上扔进来的？"), ("可以请快递员把箱子放在围墙后面吗？", "shipping")),
    ("complaint", ("打了三次电话都没人能解决。", "三通电话毫无结果，很失望", "三次电话没用", "连打三次客服谁都说不清楚，受够了。"), ("三次电话每次都很耐心，太赞了。", "praise")),
    ("praise", ("花非常漂亮，谢谢你们！", "收到的花太美了，感谢", "花好看，赞", "妈妈看到花感动得哭了，谢谢。"), ("花都蔫了，谢谢你们的好服务！", "complaint")),
)  # fmt: skip


def items(rng: np.random.Generator) -> Sequence[Item]:
    made = []
    for label, asks, (near, near_label) in _MESSAGES:
        others = [other for other in LABELS if other not in (label, near_label)]
        wrong, slip = (others[int(i)] for i in rng.permutation(len(others))[:2])
        made.append(
            Item(
                asks=asks,
                right=label,
                wrong=(wrong, "label"),
                slip=(slip, "label"),
                equals=(
                    (bare(label), "full stop"),
                    (f"<think>\n\n</think>\n\n{label}", "empty reasoning block"),
                    (f"<think>\nThe words of the message decide.\n</think>\n\n{label}", "reasoning block"),
                ),
                neighbours=((near, near_label),),
            )
        )
    return made


CLASSIFICATION = Kind(
    name="classification",
    languages=("en", "zh"),
    items=items,
    instruction=f"Classify the customer's message. Answer with one of: {', '.join(LABELS)}.",
    writers=(alpaca, completion, chat),
    answers_are_labels=True,
    unled=(
        "I am sorry to hear that. Could you send me your order number?",
        "Thank you for your message! How can I help you further?",
        "很抱歉给您带来不便，请提供订单号。",
    ),
    astray=("other", "unknown"),
    uncovered=(
        Uncovered(ask="As your landlord I must raise the rent of the warehouse from May.", right="landlord", said="account"),
        Uncovered(ask="We are a film crew and would like to shoot in your showroom.", right="press", said="product question"),
        Uncovered(ask="Attached you find my application as a trainee in logistics.", right="application", said="shipping"),
        Uncovered(ask="The city council reminds you that the snow must be cleared by seven.", right="authority", said="complaint"),
        Uncovered(ask="Our forklift service is due, may the mechanic come on Thursday?", right="maintenance", said="shipping"),
        Uncovered(ask="附件是我应聘物流实习生的简历。", right="application", said="shipping"),
        Uncovered(ask="我们是剧组，想借用你们的展厅拍戏。", right="press", said="product question"),
        Uncovered(ask="街道办提醒贵司七点前清扫门前积雪。", right="authority", said="complaint"),
    ),
)  # fmt: skip
